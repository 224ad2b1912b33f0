"""The TensorFlow Lite side of the conformance run; see tflite.ts. Answers are those of the reference kernels.

python peer_tflite.py score FOLDER   runs <case>.tflite on the rows of <case>.in for every case and writes <case>.out
python peer_tflite.py train FOLDER SEED CASES   writes <case>.tflite, <case>.in and <case>.out for networks converted here
"""
import contextlib
import io
import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def answer(folder, name, rows=None):
    interpreter = Interpreter(str(folder / f"{name}.tflite"), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    given = interpreter.get_input_details()[0]
    if rows is None:
        rows = np.fromfile(folder / f"{name}.in", given["dtype"]).reshape(-1, given["shape"][1])
    interpreter.resize_tensor_input(given["index"], rows.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], rows)
    interpreter.invoke()
    interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tofile(folder / f"{name}.out")


def convert(tf, model, mode, rows):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode.startswith("int8"):
        converter.representative_dataset = lambda: ([row[None]] for row in rows)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if mode != "int8 with float32 around":
            converter.inference_input_type = converter.inference_output_type = tf.int8
        converter._experimental_disable_per_channel_quantization_for_dense_layers = mode != "int8 per unit"
    with contextlib.redirect_stdout(io.StringIO()):  # it prints every graph
        return converter.convert()


def train(folder, seed, cases):
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    tf.keras.utils.set_random_seed(seed % 2**31)
    modes = ["int8", "int8 per unit", "int8 with float32 around", "float32", "dynamic range"]
    for case in range(cases):
        inputs = int(rng.integers(2, 90))
        hidden = [int(units) for units in rng.integers(1, 70, rng.integers(0, 4))]
        last = rng.choice(["sigmoid", "linear"])
        layers = [tf.keras.layers.Dense(units, "relu", bias_initializer="random_normal") for units in hidden]
        layers.append(tf.keras.layers.Dense(int(rng.integers(1, 4)), str(last), bias_initializer="random_normal"))
        model = tf.keras.Sequential([tf.keras.Input((inputs,)), *layers])
        mode = modes[case % len(modes)]
        (folder / f"{case}.tflite").write_bytes(
            convert(tf, model, mode, rng.normal(size=(200, inputs)).astype(np.float32)))
        is_integer = mode in ("int8", "int8 per unit")
        size = (10_000, inputs)
        rows = rng.integers(-128, 128, size, np.int8) if is_integer else rng.normal(size=size).astype(np.float32)
        rows.tofile(folder / f"{case}.in")
        answer(folder, str(case), rows)
        what = f"{mode}, {' → '.join(map(str, [inputs, *hidden, last]))}"
        (folder / f"{case}.json").write_text(json.dumps(dict(what=what)))


if __name__ == "__main__":
    print("ai-edge-litert", ai_edge_litert.__version__, "numpy", np.__version__)
    folder = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "score":
        for path in sorted(folder.glob("*.in")):
            answer(folder, path.stem)
    else:
        train(folder, int(sys.argv[3]), int(sys.argv[4]))
