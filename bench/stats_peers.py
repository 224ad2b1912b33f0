"""The peer of one case, in a process of its own: python stats_peers.py CASE-AS-JSON FOLDER. Prints the measurement as JSON."""

import json
import pathlib
import resource
import sys
import time

import numpy as np

case, folder = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2])
rows, columns, repeats, resamples = (case[key] for key in ["rows", "columns", "repeats", "resamples"])
first = np.fromfile(folder / "first.bin")
second = np.fromfile(folder / "second.bin")


def each_column(figure):
    parts = [(first[c * rows : (c + 1) * rows], second[c * rows : (c + 1) * rows]) for c in range(columns)]
    return [figure(*parts[i % columns]) for i in range(columns * repeats)][:columns]


def psi(reference, current):
    edges = np.quantile(reference, np.linspace(0, 1, 11)[1:-1])
    shares = [np.bincount(np.searchsorted(edges, values), minlength=10) / len(values) for values in (reference, current)]
    was, now = (np.maximum(share, 1e-4) for share in shares)
    return float(((now - was) * np.log(now / was)).sum())


def kolmogorov_smirnov(reference, current):
    from scipy.stats import ks_2samp

    return float(ks_2samp(reference, current, method="asymp").statistic)


def r2(actual, predicted):
    return 1 - ((actual - predicted) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()


def mae(actual, predicted):
    return np.abs(actual - predicted).mean()


def rmse(actual, predicted):
    return np.sqrt(((actual - predicted) ** 2).mean())


def auc(actual, predicted):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(actual, predicted)


def intervals(*metrics):
    rng = np.random.default_rng(1)
    drawn = np.empty((resamples, len(metrics)))
    for b in range(resamples):
        sample = rng.integers(rows, size=rows)
        actual, predicted = first[sample], second[sample]
        drawn[b] = [metric(actual, predicted) for metric in metrics]
    bounds = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [float(v) for k, metric in enumerate(metrics) for v in (metric(first, second), *bounds[:, k])]


tasks = {
    "psi": lambda: each_column(psi),
    "kolmogorov-smirnov": lambda: each_column(kolmogorov_smirnov),
    "bootstrap-regression": lambda: intervals(r2, mae, rmse),
    "bootstrap-auc": lambda: intervals(auc),
}
task = tasks[case["task"]]
if case["task"] in ("kolmogorov-smirnov", "bootstrap-auc"):
    import scipy.stats  # noqa: F401  (imported before the clock starts)
    if case["task"] == "bootstrap-auc":
        import sklearn.metrics  # noqa: F401

start = time.process_time()
figures = task()
seconds = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(dict(cpuSeconds=seconds, peakMb=peak, figures=figures)))
