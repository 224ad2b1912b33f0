import { column, type Matrix } from '../matrix.ts';
import { rankCorrelation } from './correlation.ts';
import type { LeakageFinding } from './finding.ts';

/**
 * Features that are identifiers in disguise and encode the order of arrival: almost every value is different, and the
 * values rise or fall with the row number (or with `eventTime`, where given). A model splits on them to learn when a row
 * was written, which no future row shares.
 */
export function orderIdentifiers(
  features: Matrix,
  options: { eventTime?: Float64Array; minDistinctShare?: number; minRankCorrelation?: number } = {},
): LeakageFinding[] {
  const { eventTime, minDistinctShare = 0.95, minRankCorrelation = 0.99 } = options;
  const arrival = Float64Array.from({ length: features.rows }, (_, row) => row);
  return features.names.flatMap((feature, index): LeakageFinding[] => {
    const values = column(features, index);
    const distinctShare = new Set(values).size / features.rows;
    if (distinctShare < minDistinctShare) return [];
    const withRow = Math.abs(rankCorrelation(values, arrival));
    const withTime = eventTime ? Math.abs(rankCorrelation(values, eventTime)) : NaN;
    const strongest = Math.max(withRow, Number.isNaN(withTime) ? 0 : withTime);
    if (!(strongest >= minRankCorrelation)) return [];
    return [
      {
        check: 'order-identifier',
        feature,
        message: `"${feature}" has a value per row and follows the order of arrival. Remove it from the features.`,
        evidence: { distinctShare, minDistinctShare, absoluteRankCorrelation: strongest, minRankCorrelation },
      },
    ];
  });
}
