"""What the Python libraries answer to the cases of libraries.ts; one function per comparison, of the same name.

python peer_libraries.py FOLDER   reads questions.json, writes answers.json
"""
import importlib.metadata
import json
import math
import pathlib
import sys

import betacal  # noqa: F401  (its formula is fitted by statsmodels below, to the end)
import numpy as np
import shap
import statsmodels.api as sm
from fairlearn import metrics as fair
from mapie.conformity_scores import AbsoluteConformityScore, GammaConformityScore
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from model_diagnostics.scoring import GammaDeviance, PoissonDeviance, SquaredError, decompose
from scipy import integrate, special, stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW


def kolmogorov_smirnov(q):
    result = stats.ks_2samp(q["reference"], q["current"], method="exact" if q["exact"] else "asymp")
    n, m = len(q["reference"]), len(q["current"])
    limit = special.kolmogorov(result.statistic * math.sqrt(n * m / (n + m)))
    return {"statistic": result.statistic, "pValue": result.pvalue if q["exact"] else limit}


def wasserstein(q):
    return {"distance": stats.wasserstein_distance(q["reference"], q["current"])}


def z_test(q):
    z, p = CompareMeans(DescrStatsW(q["current"]), DescrStatsW(q["reference"])).ztest_ind(usevar="unequal")
    return {"z": z, "pValue": p}


def stability_index(q):
    edges = np.quantile(q["reference"], np.arange(1, 10) / 10)
    n, m = len(q["reference"]), len(q["current"])
    r, c = (np.maximum(np.histogram(x, [-np.inf, *np.nextafter(edges, np.inf), np.inf])[0] / len(x), 1e-4) for x in (q["reference"], q["current"]))
    index = float(np.sum((c - r) * np.log(c / r)))
    return {"edges": edges, "index": index, "pValue": stats.chi2.sf(index / (1 / n + 1 / m), 9)}


def chi_square(q):
    result = stats.chi2_contingency([q["reference"], q["current"]], correction=False)
    return {"statistic": result.statistic, "degreesOfFreedom": result.dof, "pValue": result.pvalue}


def jensen_shannon(q):
    return {"distance": jensenshannon(q["reference"], q["current"], base=2)}


def false_discovery(q):
    return {"adjusted": stats.false_discovery_control(q["pValues"])}


def detectable_shift(q):
    # one-sided at half the significance: the far tail, which a two-sided power counts in, notices the wrong direction
    shift = NormalIndPower().solve_power(nobs1=q["n"], ratio=q["m"] / q["n"], alpha=q["significance"] / 2, power=q["power"], alternative="larger")
    return {"shift": shift}


def proportions(q):
    k, n, alpha = q["successes"], q["trials"], 1 - q["confidence"]
    return {"wilson": proportion_confint(k, n, alpha, "wilson"), "exact": proportion_confint(k, n, alpha, "beta")}


def special_functions(q):
    a, b, x, p = q["a"], q["b"], q["x"], q["p"]
    return {
        "logGamma": special.gammaln(x),
        "upperGamma": special.gammaincc(a, x),
        "incompleteBeta": special.betainc(a, b, p),
        "betaQuantile": special.betaincinv(a, b, p),
        "normalQuantile": stats.norm.ppf(p),
        "logEvalueOfP": math.log(integrate.quad(lambda k: k * p ** (k - 1), 0, 1, epsabs=0, epsrel=1e-12)[0]),
    }


def sequential_shares(q):
    steps = (np.arange(81) - 40) / 10
    weight = np.exp(-(steps**2) / 2)
    product = np.ones(81)
    evidence = []
    for look in q["looks"]:
        a, n = look["reference"]["successes"], look["reference"]["trials"]
        b, m = look["current"]["successes"], look["current"]["trials"]
        chance = [stats.nchypergeom_fisher.pmf(b, n + m, a + b, m, math.exp(q["effectLogOdds"] * s)) for s in steps]
        product = product * chance / stats.hypergeom.pmf(b, n + m, a + b, m)
        evidence.append(math.log(weight @ product / weight.sum()))
    return {"logEvalues": evidence}


def regression(q):
    y, p, w = q["actual"], q["predicted"], q["weight"]
    return {
        "mae": metrics.mean_absolute_error(y, p, sample_weight=w),
        "mse": metrics.mean_squared_error(y, p, sample_weight=w),
        "rmse": metrics.root_mean_squared_error(y, p, sample_weight=w),
        "r2": metrics.r2_score(y, p, sample_weight=w),
    }


def deviances(q):
    given = {"sample_weight": q["weight"], "power": q["power"]}
    return {
        "deviance": metrics.mean_tweedie_deviance(q["actual"], q["predicted"], **given),
        "d2": metrics.d2_tweedie_score(q["actual"], q["predicted"], **given),
    }


def classification(q):
    y, p, w = q["actual"], np.array(q["predicted"]), q["weight"]
    called = (p >= q["threshold"]).astype(int)
    undefined = {"sample_weight": w, "zero_division": np.nan}
    return {
        "rocAuc": metrics.roc_auc_score(y, p, sample_weight=w),
        "averagePrecision": metrics.average_precision_score(y, p, sample_weight=w),
        "logLoss": metrics.log_loss(y, p, sample_weight=w),
        "brier": metrics.brier_score_loss(y, p, sample_weight=w),
        "accuracy": metrics.accuracy_score(y, called, sample_weight=w),
        "precision": metrics.precision_score(y, called, **undefined),
        "recall": metrics.recall_score(y, called, **undefined),
        "f1": metrics.f1_score(y, called, **undefined),
        "kappa": metrics.cohen_kappa_score(y, called, weights="quadratic", sample_weight=w),
        "matthews": metrics.matthews_corrcoef(y, called, sample_weight=w),
    }


def ranking(q):
    relevance, scores = (np.array(q[name]).reshape(-1, q["items"]) for name in ("relevance", "scores"))
    return {"ndcg": [metrics.ndcg_score(relevance[i : i + 1], scores[i : i + 1], k=q["k"]) for i in range(len(relevance))]}


def murphy(q):
    loss = {0: SquaredError(), 1: PoissonDeviance(), 2: GammaDeviance()}[q["power"]]
    row = decompose(np.array(q["actual"]), np.array(q["predicted"]), weights=np.array(q["weight"]), scoring_function=loss, functional="mean")
    return {name: row[name][0] for name in ["score", "miscalibration", "discrimination", "uncertainty"]}


def glm(q):
    log = sm.families.links.Log()
    family = {
        "normal": sm.families.Gaussian(),
        "poisson": sm.families.Poisson(),
        "gamma": sm.families.Gamma(link=log),
        "tweedie": sm.families.Tweedie(link=log, var_power=1.5),
        "binomial": sm.families.Binomial(),
    }[q["family"]]
    given = {name: np.array(q[key]) for name, key in [("exposure", "exposure"), ("var_weights", "weight")] if q[key] is not None}
    fit = sm.GLM(np.array(q["label"]), sm.add_constant(np.array(q["features"]).T), family=family, **given).fit(tol=1e-13, maxiter=300)
    return {
        "coefficients": fit.params,
        "standardErrors": fit.bse,
        "pValues": fit.pvalues,
        "deviance": fit.deviance,
        "nullDeviance": fit.null_deviance,
        "dispersion": fit.scale,
        "fitted": fit.fittedvalues,
    }


def linear_shap(q):
    x = np.array(q["features"]).T
    explainer = shap.LinearExplainer((np.array(q["slopes"]), q["intercept"]), shap.maskers.Independent(x, max_samples=len(x)))
    return {"contributions": np.column_stack([explainer.shap_values(x), np.full(len(x), explainer.expected_value)]).ravel()}


class Column(RegressorMixin, BaseEstimator):
    """A model whose prediction is one of its features, so that the conformal method is all that is compared."""

    def __init__(self, feature=0, width=1):
        self.feature = feature
        self.width = width
        self.n_features_in_ = width
        self.is_fitted_ = True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, self.feature]


def split_conformal(q, symmetric):
    score = (GammaConformityScore if q["relative"] else AbsoluteConformityScore)(sym=symmetric)
    model = SplitConformalRegressor(Column(), confidence_level=q["level"], conformity_score=score, prefit=True)
    model.conformalize(np.array(q["predicted"])[:, None], np.array(q["actual"]))
    return model.predict_interval(np.array(q["fresh"])[:, None])[1][:, :, 0]


def conformal(q):
    both, tails = split_conformal(q, True), split_conformal(q, False)
    return {"low": both[:, 0], "high": both[:, 1], "tailLow": tails[:, 0], "tailHigh": tails[:, 1]}


def conformal_quantiles(q):
    columns = lambda around, point: np.column_stack([around["low"], around["high"], point])
    models = [Column(feature, 3) for feature in range(3)]
    model = ConformalizedQuantileRegressor(models, confidence_level=q["level"], prefit=True)
    model.conformalize(columns(q["calibrated"], q["predicted"]), np.array(q["actual"]))
    interval = model.predict_interval(columns(q["asked"], q["fresh"]), symmetric_correction=True)[1]
    return {"low": interval[:, 0, 0], "high": interval[:, 1, 0]}


def isotonic(q):
    fit = IsotonicRegression(out_of_bounds="clip").fit(q["x"], q["y"], sample_weight=q["weight"])
    return {"values": fit.predict(q["grid"])}


def beta_calibration(q):
    p = np.array(q["predicted"])
    columns = sm.add_constant(np.column_stack([np.log(p), -np.log(1 - p)]))
    c, a, b = sm.GLM(q["actual"], columns, family=sm.families.Binomial()).fit(tol=1e-13, maxiter=300).params
    # betacal stops its optimiser early; it vouches for the formula
    theirs = betacal.BetaCalibration(parameters="abm").fit(p[:, None], np.array(q["actual"]))
    assert np.max(np.abs(theirs.predict(p) - 1 / (1 + np.exp(-(columns @ [c, a, b]))))) < 5e-3
    return {"a": a, "b": b, "c": c}


def fairness(q):
    y, group, w = np.array(q["actual"]), q["group"], q["weight"]
    called = (np.array(q["predicted"]) >= q["threshold"]).astype(int)
    measures = {
        "selectionRate": fair.selection_rate,
        "accuracy": metrics.accuracy_score,
        "truePositiveRate": fair.true_positive_rate,
        "falsePositiveRate": fair.false_positive_rate,
    }
    own = {name: {"sample_weight": w} for name in measures}
    frame = fair.MetricFrame(metrics=measures, y_true=y, y_pred=called, sensitive_features=group, sample_params=own)
    more = {"sensitive_features": group, "sample_weight": w}
    of = lambda kind, aggregate: getattr(fair, f"{kind}_{aggregate}")(y, called, **more)
    return {
        "overall": frame.overall,
        "byGroup": frame.by_group.sort_index().to_numpy().ravel(),
        "difference": frame.difference(),
        "ratio": frame.ratio(),
        "demographicParity": [of("demographic_parity", "difference"), of("demographic_parity", "ratio")],
        "equalizedOdds": [of("equalized_odds", "difference"), of("equalized_odds", "ratio")],
    }


def plain(value):
    """Numbers as JSON has them: null for what is not finite."""
    if np.ndim(value) > 0:
        return [plain(item) for item in value]
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    libraries = ["scipy", "statsmodels", "scikit-learn", "fairlearn", "shap", "mapie", "model-diagnostics", "betacal"]
    print(*(f"{name} {importlib.metadata.version(name)}" for name in libraries))
    questions = json.loads((folder / "questions.json").read_text())
    answers = [
        [{key: plain(value) for key, value in globals()[question["name"]](case).items()} for case in question["inputs"]]
        for question in questions
    ]
    (folder / "answers.json").write_text(json.dumps(answers))
