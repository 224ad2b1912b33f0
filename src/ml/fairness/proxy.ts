import { ArgumentError, ensureSameRows } from '../ensure.ts';
import { singleFeatureR2 } from '../leakage/single-feature-tree.ts';
import { column, takeRows, type Matrix } from '../matrix.ts';
import { groupsOf } from '../metrics/actual-expected.ts';
import { bootstrap } from '../metrics/bootstrap.ts';
import type { Estimate } from '../metrics/metric.ts';
import { rocAuc } from '../metrics/roc.ts';
import { trainBoosting } from '../trees/boosting.ts';
import { predict } from '../trees/predictor.ts';
import { crossValidate } from '../tune/cross-validate.ts';
import { stratifiedKFold } from '../tune/folds.ts';

/** How well the model's features give away a sensitive feature that the model does not see. Plain JSON. */
export type ProxyReport = {
  feature: string;
  /** Cross-validated ROC AUC of telling each group from all others by all features: .5 is nothing, 1 everything. */
  groups: { group: string; rows: number; auc: Estimate }[];
  /** Out-of-sample R² of the group membership by one feature alone, of the group it gives away most; most first. */
  proxies: { name: string; group: string; r2: number }[];
  /** Groups too small to judge. */
  suppressed: string[];
};

/**
 * Proxy detection: small boosted trees try to predict each group of the sensitive feature from the features of the model,
 * judged by three-fold cross-validation. With two groups the two are one question and only the first is asked.
 */
export function detectProxies(
  features: Matrix,
  sensitive: { feature: string; values: ArrayLike<string | number | boolean | null> },
  options: { seed: number | string; minGroupRows?: number },
): ProxyReport {
  const { seed, minGroupRows = 30 } = options;
  ensureSameRows({ features: { length: features.rows }, [`"${sensitive.feature}"`]: sensitive.values });
  const { names, codes } = groupsOf(sensitive.values);
  const members = names.map((_, code) => Float64Array.from(codes, (own) => Number(own === code)));
  const rows = members.map((membership) => membership.reduce((sum, value) => sum + value, 0));
  const judged = [...names.keys()].filter((code) => rows[code] >= minGroupRows && rows[code] < features.rows);
  if (judged.length === 0) {
    throw new ArgumentError(
      `"${sensitive.feature}" has no group of ${minGroupRows} rows beside others to tell it from.`,
    );
  }
  const asked = names.length === 2 ? judged.slice(0, 1) : judged;

  const proxies = features.names.map((name, index) => {
    const values = column(features, index);
    const byGroup = asked.map((code) => ({ name, group: names[code], r2: singleFeatureR2(values, members[code]) }));
    return byGroup.reduce((most, one) => (one.r2 > most.r2 ? one : most));
  });
  return {
    feature: sensitive.feature,
    groups: asked.map((code) => ({
      group: names[code],
      rows: rows[code],
      auc: crossValidatedAuc(features, members[code], seed),
    })),
    proxies: proxies.sort((a, b) => b.r2 - a.r2),
    suppressed: names.filter((_, code) => rows[code] < minGroupRows),
  };
}

function crossValidatedAuc(features: Matrix, membership: Float64Array, seed: number | string): Estimate {
  const { outOfFold } = crossValidate({
    splits: stratifiedKFold(membership, { folds: 3, seed }),
    actual: membership,
    metrics: {},
    fit: (rows) =>
      trainBoosting(
        takeRows(features, rows),
        Float64Array.from(rows, (row) => membership[row]),
        { objective: 'binary', iterations: 50, numLeaves: 8, seed },
      ),
    predict: (model, rows) => predict(model, takeRows(features, rows)),
  });
  return bootstrap({ rocAuc }, membership, outOfFold, { seed }).rocAuc;
}
