import { ensureBinary } from './binary.ts';
import { ensureSameRows } from '../ensure.ts';
import type { Metric, Statistic } from './metric.ts';
import { descending, tieEnds } from './order.ts';

/**
 * Area under the ROC curve: the probability that a random positive row is scored above a random negative one, ties counted
 * half (Hanley and McNeil, Radiology 143, 1982). `predicted` is a probability or any score, never a hard label. NaN where
 * only one class is there.
 */
export const rocAuc: Metric = (actual, predicted, weight) => rocAucOver(actual, predicted)(weight);
rocAuc.over = rocAucOver;

function rocAucOver(actual: Float64Array, predicted: Float64Array): Statistic {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  const order = descending(predicted);
  const ends = tieEnds(predicted, order);
  return (weight) => {
    ensureSameRows({ actual, weight });
    let positives = 0;
    let negatives = 0;
    let area = 0;
    for (let run = 0, i = 0; run < ends.length; run++) {
      let runPositives = 0;
      let runNegatives = 0;
      for (; i < ends[run]; i++) {
        const w = weight ? weight[order[i]] : 1;
        if (actual[order[i]] === 1) runPositives += w;
        else runNegatives += w;
      }
      area += runNegatives * (positives + runPositives / 2);
      positives += runPositives;
      negatives += runNegatives;
    }
    return positives > 0 && negatives > 0 ? area / (positives * negatives) : NaN;
  };
}

/**
 * Average precision, the area under the precision-recall curve without interpolation: Σ (Rₖ − Rₖ₋₁) · Pₖ over the distinct
 * scores, highest first. A score without skill earns the share of positives, so state that beside it. NaN without positives.
 */
export const averagePrecision: Metric = (actual, predicted, weight) => averagePrecisionOver(actual, predicted)(weight);
averagePrecision.over = averagePrecisionOver;

function averagePrecisionOver(actual: Float64Array, predicted: Float64Array): Statistic {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  const order = descending(predicted);
  const ends = tieEnds(predicted, order);
  return (weight) => {
    ensureSameRows({ actual, weight });
    let positives = 0;
    let selected = 0;
    let area = 0;
    for (let run = 0, i = 0; run < ends.length; run++) {
      let runPositives = 0;
      for (; i < ends[run]; i++) {
        const w = weight ? weight[order[i]] : 1;
        selected += w;
        if (actual[order[i]] === 1) runPositives += w;
      }
      positives += runPositives;
      if (runPositives > 0) area += runPositives * (positives / selected);
    }
    return positives > 0 ? area / positives : NaN;
  };
}

/** One operating point: rows scored at or above `threshold` are called positive. */
export type OperatingPoint = {
  threshold: number;
  recall: number;
  falsePositiveRate: number;
  precision: number;
};

/**
 * Every operating point by descending threshold, for ROC and precision-recall curves; `points` keeps about that many,
 * evenly along the rows. The first point calls nothing positive: precision 1 by convention, threshold the highest score.
 */
export function operatingPoints(
  actual: Float64Array,
  predicted: Float64Array,
  options: { weight?: Float64Array; points?: number } = {},
): OperatingPoint[] {
  const { weight, points = Infinity } = options;
  ensureSameRows({ actual, predicted, weight });
  ensureBinary(actual);
  const order = descending(predicted);
  const ends = tieEnds(predicted, order);
  const counts = Array.from({ length: ends.length + 1 }, () => ({ positives: 0, negatives: 0 }));
  for (let run = 0, i = 0; run < ends.length; run++) {
    let { positives, negatives } = counts[run];
    for (; i < ends[run]; i++) {
      const w = weight ? weight[order[i]] : 1;
      if (actual[order[i]] === 1) positives += w;
      else negatives += w;
    }
    counts[run + 1] = { positives, negatives };
  }
  const all = counts[ends.length];
  const stride = Math.max(1, (ends.length + 1) / points);
  return counts
    .map(({ positives, negatives }, run) => ({
      threshold: predicted[order[run === 0 ? 0 : ends[run - 1] - 1]],
      recall: positives / all.positives,
      falsePositiveRate: negatives / all.negatives,
      precision: positives + negatives > 0 ? positives / (positives + negatives) : 1,
    }))
    .filter((_, run) => run === ends.length || Math.floor(run / stride) > Math.floor((run - 1) / stride));
}
