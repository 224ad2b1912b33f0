import { column, type Matrix } from '../matrix.ts';
import { type Ordered, correlation, ordered } from './correlation.ts';
import type { LeakageFinding } from './finding.ts';
import { singleFeatureR2 } from './single-feature-tree.ts';

/** Above these a single feature is too good to be true. */
export type NearPerfectLimits = {
  /** |Pearson correlation| with the label. @default 0.98 */
  maxCorrelation?: number;
  /** R² of a tree on this feature alone, on rows it was not grown on. @default 0.95 */
  maxTreeR2?: number;
};

/** Features that alone all but determine the label: honest insurance data has none. `sorted` as in `labelDerivedFeatures`. */
export function nearPerfectFeatures(
  features: Matrix,
  label: Float64Array,
  { maxCorrelation = 0.98, maxTreeR2 = 0.95 }: NearPerfectLimits = {},
  sorted: readonly Ordered[] = features.names.map((_, index) => ordered(column(features, index))),
): LeakageFinding[] {
  return features.names.flatMap((feature, index): LeakageFinding[] => {
    const { values, order } = sorted[index];
    const pearson = Math.abs(correlation(values, label));
    const treeR2 = singleFeatureR2(values, label, { order });
    if (!(pearson > maxCorrelation || treeR2 > maxTreeR2)) return [];
    return [
      {
        check: 'near-perfect-feature',
        feature,
        message: `"${feature}" alone predicts the label almost perfectly. Find out when it is known, and drop it if that is after the event.`,
        evidence: { absoluteCorrelation: pearson, maxCorrelation, treeR2, maxTreeR2 },
      },
    ];
  });
}
