import { column, type Matrix } from '../matrix.ts';
import { rankCorrelation } from './correlation.ts';
import type { LeakageFinding } from './finding.ts';

/** Above these a feature is taken to be made from the label. */
export type LabelDerivedLimits = {
  /** Share of rows in which feature and label are the same number. @default 0.5 */
  maxEqualShare?: number;
  /** |rank correlation|: 1 for any monotone function of a label without ties. @default 0.999 */
  maxRankCorrelation?: number;
};

/**
 * Features that are the label (in part of the rows is enough: `coalesce(label, formula)`) or a monotone function of it
 * (in cents, on a log scale, rounded).
 */
export function labelDerivedFeatures(
  features: Matrix,
  label: Float64Array,
  { maxEqualShare = 0.5, maxRankCorrelation = 0.999 }: LabelDerivedLimits = {},
): LeakageFinding[] {
  // a label of few values meets a 0/1 feature in many rows by chance; only full agreement says anything there
  const counts = countValues(label);
  const isContinuous = counts.size > 50;
  const equalLimit = isContinuous ? maxEqualShare : 0.999;
  // and zeros meet zeros: of a cost that is mostly 0 only the other rows are compared
  const skipped = isContinuous ? mostCommon(counts) : NaN;
  return features.names.flatMap((feature, index): LeakageFinding[] => {
    const values = column(features, index);
    const equalShare = shareOfEqual(values, label, skipped);
    const ranks = Math.abs(rankCorrelation(values, label));
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

function shareOfEqual(values: Float64Array, label: Float64Array, skipped: number): number {
  let equal = 0;
  let compared = 0;
  for (let i = 0; i < label.length; i++) {
    if (label[i] === skipped) continue;
    compared++;
    if (values[i] === label[i]) equal++;
  }
  return equal / compared;
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
