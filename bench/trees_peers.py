"""One peer on one case, in a process of its own: python trees_peers.py PEER CASE-AS-JSON FOLDER. Prints the measurement as JSON."""
import json
import pathlib
import resource
import sys
import time

import numpy as np

peer, case, folder = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3])
columns, outputs, asked = case["columns"], case["outputs"], case["parameters"]


def matrix(file):
    return np.ascontiguousarray(np.fromfile(folder / file).reshape(columns, -1).T)


test = matrix("test.bin")
test_target = np.fromfile(folder / "test-target.bin").reshape(-1, outputs)
if case["task"] in ("boosting", "forest"):
    train, target = matrix("train.bin"), np.fromfile(folder / "train-target.bin").reshape(-1, outputs)


def lightgbm_train(**more):
    import lightgbm as lgb

    parameters = dict(objective="regression", num_leaves=31, learning_rate=0.05, lambda_l2=1, min_data_in_leaf=20,
                      num_threads=1, verbosity=-1, **more)
    start = time.process_time()
    # LightGBM has no several outputs: one model each, the binning done once for all of them
    data = lgb.Dataset(train, target[:, 0], params=parameters, free_raw_data=False).construct()
    models = []
    for output in range(outputs):
        data.set_label(target[:, output])
        models.append(lgb.train(parameters, data, asked["iterations"]))
    seconds = time.process_time() - start
    return seconds, np.stack([model.predict(test, num_threads=1) for model in models], 1)


def xgboost_train():
    import xgboost as xgb

    parameters = dict(objective="reg:squarederror", max_leaves=31, max_depth=0, grow_policy="lossguide", eta=0.05,
                      reg_lambda=1, min_child_weight=20, nthread=1, tree_method="hist", max_bin=255)
    start = time.process_time()
    model = xgb.train(parameters, xgb.QuantileDMatrix(train, target, nthread=1, max_bin=255), asked["iterations"])
    seconds = time.process_time() - start
    return seconds, model.predict(xgb.DMatrix(test, nthread=1)).reshape(-1, outputs)


def sklearn_forest():
    from sklearn.ensemble import RandomForestRegressor

    start = time.process_time()
    model = RandomForestRegressor(asked["trees"], min_samples_leaf=asked["minChildSamples"], max_features=asked["featureFraction"],
                                  random_state=0, n_jobs=1).fit(train, target.ravel())
    return time.process_time() - start, model.predict(test).reshape(-1, 1)


def sklearn_boosting():
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        start = time.process_time()
        model = HistGradientBoostingRegressor(max_iter=asked["iterations"], learning_rate=0.05, max_leaf_nodes=31, l2_regularization=1,
                                              min_samples_leaf=20, early_stopping=False, random_state=0).fit(train, target.ravel())
        return time.process_time() - start, model.predict(test).reshape(-1, 1)


def lightgbm_use():
    import lightgbm as lgb

    model = lgb.Booster(model_file=str(folder / "model.txt"))
    model.predict(test[:10], num_threads=1)
    start = time.process_time()
    model.predict(test, num_threads=1, pred_contrib=case["task"] == "shap")
    return time.process_time() - start, model.predict(test, num_threads=1).reshape(-1, 1)


def xgboost_use():
    import xgboost as xgb

    model = xgb.Booster(model_file=str(folder / "model.json"))
    model.set_param("nthread", 1)
    data = xgb.DMatrix(test, nthread=1, feature_names=model.feature_names)
    model.predict(xgb.DMatrix(test[:10], feature_names=model.feature_names))
    start = time.process_time()
    model.predict(data, pred_contribs=case["task"] == "shap")
    return time.process_time() - start, model.predict(data).reshape(-1, 1)


peers = {
    "lightgbm": lightgbm_use if case["task"] in ("predict", "shap") else lightgbm_train,
    "lightgbm-quantised": lambda: lightgbm_train(use_quantized_grad=True),
    "xgboost": xgboost_use if case["task"] in ("predict", "shap") else xgboost_train,
    "scikit-learn": sklearn_forest if case["task"] == "forest" else sklearn_boosting,
}
seconds, predicted = peers[peer]()
print(json.dumps(dict(name=peer, cpuSeconds=seconds, rmse=float(np.sqrt(np.mean((predicted - test_target) ** 2))),
                      peakMb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
