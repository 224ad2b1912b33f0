import { column, type Matrix } from '../matrix.ts';
import { type Ordered, ordered, orderedRankCorrelation } from './correlation.ts';
import type { LeakageFinding } from './finding.ts';

/** Above these a feature is taken to be made from the label. */
export type LabelDerivedLimits = {
  /**
   * Share of rows in which feature and label are the same number; of a label with few values the share beyond those that
   * would meet by chance. @default 0.5
   */
  maxEqualShare?: number;
  /** |rank correlation|: 1 for any monotone function of a label without ties. @default 0.999 */
  maxRankCorrelation?: number;
};

/** Up to so many values a number may meet the label by chance. */
const mostFewValues = 50;
/** Of a yes or no, or a few grades, honest features agree with most rows: only full agreement says anything. */
const fewestScores = 5;

/**
 * Features that are the label (in part of the rows is enough: `coalesce(label, formula)`) or a monotone function of it
 * (in cents, on a log scale, rounded). `sorted` holds the features' columns, where they are sorted already.
 */
export function labelDerivedFeatures(
  features: Matrix,
  label: Float64Array,
  { maxEqualShare = 0.5, maxRankCorrelation = 0.999 }: LabelDerivedLimits = {},
  sorted: readonly Ordered[] = features.names.map((_, index) => ordered(column(features, index))),
): LeakageFinding[] {
  const counts = countValues(label);
  const isGrades = counts.size < fewestScores;
  const equalLimit = isGrades ? 0.999 : maxEqualShare;
  // zeros meet zeros: of a cost that is mostly 0, or a score whose lowest is usual, only the other rows are compared
  const skipped = isGrades ? NaN : mostCommon(counts);
  const beyondChance = !isGrades && counts.size <= mostFewValues;
  const sortedLabel = ordered(label);
  return features.names.flatMap((feature, index): LeakageFinding[] => {
    const equalShare = shareOfEqual(sorted[index].values, label, { skipped, beyondChance });
    const ranks = Math.abs(orderedRankCorrelation(sorted[index], sortedLabel));
    if (!(equalShare > equalLimit || ranks > maxRankCorrelation)) return [];
    return [
      {
        check: 'label-derived',
        feature,
        message: `"${feature}" is the label or computed from it. Remove it from the features.`,
        evidence: { equalShare, maxEqualShare: equalLimit, absoluteRankCorrelation: ranks, maxRankCorrelation },
      },
    ];
  });
}

/**
 * The share of equal rows; beyond chance it is Cohen's kappa ("A coefficient of agreement for nominal scales", 1960): 0 where
 * both meet as often as their frequencies make them, 1 where they always do.
 */
function shareOfEqual(
  values: Float64Array,
  label: Float64Array,
  { skipped, beyondChance }: { skipped: number; beyondChance: boolean },
): number {
  let rows = 0;
  let equalRows = 0;
  for (let i = 0; i < label.length; i++) {
    if (label[i] === skipped) continue;
    rows++;
    if (values[i] === label[i]) equalRows++;
  }
  const equal = equalRows / rows;
  if (!beyondChance) return equal;
  const compared = Array.from(label.keys()).filter((i) => label[i] !== skipped);
  const ofValues = countValues(Float64Array.from(compared, (i) => values[i]));
  const ofLabels = countValues(Float64Array.from(compared, (i) => label[i]));
  let byChance = 0;
  for (const [value, count] of ofLabels) byChance += (count / rows) * ((ofValues.get(value) ?? 0) / rows);
  return byChance < 1 ? (equal - byChance) / (1 - byChance) : NaN;
}

function countValues(values: Float64Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function mostCommon(counts: Map<number, number>): number {
  let value = NaN;
  let most = 0;
  for (const [candidate, count] of counts) {
    if (count > most) [value, most] = [candidate, count];
  }
  return value;
}
