"""The LightGBM side of the conformance run; see peers.ts.

python peer_lightgbm.py score FOLDER   loads <case>.model.txt for every <case>.rows.json and writes <case>.scores.json
python peer_lightgbm.py train FOLDER SEED CASES   writes <case>.model.txt and <case>.expected.json for models trained here
"""
import json
import pathlib
import sys

import lightgbm as lgb
import numpy as np


def rows_of(path):
    return np.array([[np.nan if v is None else v for v in row] for row in json.loads(path.read_text())], dtype=float)


def score(folder):
    for path in sorted(folder.glob("*.rows.json")):
        name = path.name.removesuffix(".rows.json")
        booster = lgb.Booster(model_file=str(folder / f"{name}.model.txt"))
        rows = rows_of(path)
        scores = dict(prediction=booster.predict(rows).reshape(len(rows), -1).ravel().tolist(),
                      contributions=np.asarray(booster.predict(rows, pred_contrib=True)).ravel().tolist())
        (folder / f"{name}.scores.json").write_text(json.dumps(scores))


def train(folder, seed, cases):
    rng = np.random.default_rng(seed)
    objectives = ["regression", "regression_l1", "huber", "quantile", "poisson", "gamma", "tweedie", "binary", "multiclass"]
    for case in range(cases):
        rows, columns = int(rng.integers(100, 600)), int(rng.integers(2, 12))
        x = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-3, 4, columns)
        categorical = [c for c in range(columns) if rng.random() < 0.3]
        for c in categorical:
            x[:, c] = rng.integers(0, rng.integers(2, 90), rows)
        x[rng.random(x.shape) < rng.choice([0.0, 0.2])] = np.nan
        objective = str(rng.choice(objectives))
        y = np.nansum(x[:, :2] / (1e-9 + np.nanstd(x[:, :2], axis=0)), axis=1) + rng.normal(size=rows)
        if objective in ("poisson", "gamma", "tweedie"):
            y = np.exp(y / 4) + 0.01
        elif objective == "binary":
            y = (y > 0).astype(float)
        elif objective == "multiclass":
            y = np.digitize(y, [-0.5, 0.5]).astype(float)
        parameters = dict(objective=objective, verbosity=-1, num_threads=1, seed=int(rng.integers(1 << 30)),
                          num_leaves=int(rng.integers(2, 40)), min_data_in_leaf=int(rng.integers(1, 20)),
                          min_data_per_group=int(rng.integers(1, 20)), boosting=str(rng.choice(["gbdt", "rf", "dart"])),
                          bagging_fraction=0.7, bagging_freq=1, zero_as_missing=bool(rng.random() < 0.2))
        if objective == "multiclass":
            parameters["num_class"] = 3
        booster = lgb.train(parameters, lgb.Dataset(x, y, categorical_feature=categorical), int(rng.integers(1, 12)))
        asked = np.vstack([x[:40], np.where(rng.random((10, columns)) < 0.5, np.nan, rng.integers(-2, 120, (10, columns)))])
        booster.save_model(str(folder / f"{case}.model.txt"))
        expected = dict(rows=[[None if np.isnan(v) else float(v) for v in row] for row in asked],
                        what=f"{objective} {parameters['boosting']}",
                        prediction=booster.predict(asked).ravel().tolist(),
                        contributions=np.asarray(booster.predict(asked, pred_contrib=True)).ravel().tolist())
        (folder / f"{case}.expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    print("lightgbm", lgb.__version__, "numpy", np.__version__)
    if sys.argv[1] == "score":
        score(pathlib.Path(sys.argv[2]))
    else:
        train(pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
