"""The XGBoost side of the conformance run; see peers.ts.

python peer_xgboost.py score FOLDER   loads <case>.model.json for every <case>.rows.json and writes <case>.scores.json
python peer_xgboost.py train FOLDER SEED CASES   writes <case>.model.json and <case>.expected.json for models trained here
"""
import json
import pathlib
import sys

import numpy as np
import xgboost as xgb


def data_of(rows, types, names, label=None):
    return xgb.DMatrix(rows, label, feature_types=types, feature_names=names, enable_categorical=True, nthread=1)


def score(folder):
    for path in sorted(folder.glob("*.rows.json")):
        name = path.name.removesuffix(".rows.json")
        booster = xgb.Booster(model_file=str(folder / f"{name}.model.json"))
        rows = np.array([[np.nan if v is None else v for v in row] for row in json.loads(path.read_text())], dtype=float)
        data = data_of(rows, booster.feature_types, booster.feature_names)
        scores = dict(prediction=booster.predict(data).ravel().tolist(),
                      contributions=booster.predict(data, pred_contribs=True).ravel().tolist())
        (folder / f"{name}.scores.json").write_text(json.dumps(scores))


def train(folder, seed, cases):
    rng = np.random.default_rng(seed)
    objectives = ["reg:squarederror", "reg:absoluteerror", "count:poisson", "reg:gamma", "reg:tweedie", "binary:logistic",
                  "multi:softprob"]
    for case in range(cases):
        rows, columns = int(rng.integers(100, 600)), int(rng.integers(2, 12))
        x = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-3, 4, columns)
        types = ["c" if rng.random() < 0.3 else "float" for _ in range(columns)]
        asked = np.vstack([x[:30], np.where(rng.random((10, columns)) < 0.5, np.nan, rng.normal(size=(10, columns)))])
        for c in range(columns):
            if types[c] == "c":
                levels = rng.integers(2, 60)
                x[:, c] = rng.integers(0, levels, rows)
                asked[:, c] = rng.integers(0, levels, len(asked))
        x[rng.random(x.shape) < rng.choice([0.0, 0.2])] = np.nan
        objective = str(rng.choice(objectives))
        y = np.nansum(x[:, :2] / (1e-9 + np.nanstd(x[:, :2], axis=0)), axis=1) + rng.normal(size=rows)
        if objective in ("count:poisson", "reg:gamma", "reg:tweedie"):
            y = np.exp(y / 4) + 0.01
        elif objective == "binary:logistic":
            y = (y > 0).astype(float)
        elif objective == "multi:softprob":
            y = np.digitize(y, [-0.5, 0.5]).astype(float)
        parameters = dict(objective=objective, verbosity=0, nthread=1, seed=int(rng.integers(1 << 30)), tree_method="hist",
                          max_depth=int(rng.integers(1, 8)), booster=str(rng.choice(["gbtree", "dart"])), rate_drop=0.3,
                          subsample=0.8, num_parallel_tree=int(rng.choice([1, 3])))
        if objective == "multi:softprob":
            parameters["num_class"] = 3
        names = [f"f{c}" for c in range(columns)]
        booster = xgb.train(parameters, data_of(x, types, names, y), int(rng.integers(1, 8)))
        booster.save_model(str(folder / f"{case}.model.json"))
        data = data_of(asked, types, names)
        expected = dict(rows=[[None if np.isnan(v) else float(v) for v in row] for row in asked],
                        what=f"{objective} {parameters['booster']}",
                        prediction=booster.predict(data).ravel().tolist(),
                        contributions=booster.predict(data, pred_contribs=True).ravel().tolist())
        (folder / f"{case}.expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    print("xgboost", xgb.__version__, "numpy", np.__version__)
    if sys.argv[1] == "score":
        score(pathlib.Path(sys.argv[2]))
    else:
        train(pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
