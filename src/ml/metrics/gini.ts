import { sum } from 'd3-array';
import { ensureSameRows } from '../ensure.ts';
import type { Estimate, Metric, Statistic } from './metric.ts';
import { criticalValue } from './normal.ts';
import { ascending, tieEnds } from './order.ts';

export type LorenzPoint = {
  /** Share of the base premium (or exposure) of the rows with the lowest relativities. */
  premiumShare: number;
  /** Share of the losses of the same rows. */
  lossShare: number;
};

export type OrderedLorenz = {
  /** −1 … 1 with its normal-theory interval: how well the score separates low losses from high ones. */
  gini: Estimate;
  standardError: number;
  /** The curve from (0, 0) to (1, 1), thinned to `points`. */
  curve: LorenzPoint[];
};

/**
 * Ordered-Lorenz Gini index (Frees, Meyers and Cummings, "Summarizing Insurance Scores Using a Gini Index", JASA 106,
 * 2011): rows sorted by relativity, shares of loss against shares of premium, twice the area between curve and diagonal.
 * Exposure is the premium here; `actual` and `predicted` are per unit of exposure. Equal relativities share one straight
 * piece of the curve, so a constant score has Gini 0. NaN where there are no losses.
 */
export const gini: Metric = (actual, predicted, weight) => giniOver(actual, predicted)(weight);
gini.over = giniOver;

function giniOver(actual: Float64Array, predicted: Float64Array): Statistic {
  ensureSameRows({ actual, predicted });
  const order = ascending(predicted);
  const ends = tieEnds(predicted, order);
  return (weight) => {
    ensureSameRows({ actual, weight });
    // trapezoids under the curve: premium of the run × (losses before it + half of its own)
    let premium = 0;
    let losses = 0;
    let area = 0;
    for (let run = 0, i = 0; run < ends.length; run++) {
      let runPremium = 0;
      let runLosses = 0;
      for (; i < ends[run]; i++) {
        const row = order[i];
        const exposure = weight ? weight[row] : 1;
        runPremium += exposure;
        runLosses += exposure * actual[row];
      }
      area += runPremium * (losses + runLosses / 2);
      premium += runPremium;
      losses += runLosses;
    }
    return losses > 0 ? 1 - (2 * area) / (premium * losses) : NaN;
  };
}

/**
 * The curve and its Gini index with the asymptotic standard error of the paper's theorem 5. Rows are sorted by relativity =
 * predicted / base; `base` is the premium per unit of exposure that is charged today (@default - flat, relativity is the
 * prediction). Losses are weight × actual, premiums weight × base.
 */
export function orderedLorenz(
  actual: Float64Array,
  predicted: Float64Array,
  options: { weight?: Float64Array; base?: Float64Array; points?: number; confidence?: number } = {},
): OrderedLorenz {
  const { weight, base, points = 100, confidence = 0.95 } = options;
  ensureSameRows({ actual, predicted, weight, base });
  const rows = actual.length;
  const premium = new Float64Array(rows);
  const loss = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const exposure = weight ? weight[i] : 1;
    premium[i] = exposure * (base ? base[i] : 1);
    loss[i] = exposure * actual[i];
  }
  const relativity = base ? predicted.map((value, i) => value / base[i]) : predicted;
  const totalPremium = sum(premium);
  const totalLoss = sum(loss);
  const order = ascending(relativity);
  const ends = tieEnds(relativity, order);

  // premium and loss at or below each row's relativity, ties counted half: what the projection h₁ of the U-statistic needs
  const premiumBelow = new Float64Array(rows);
  const lossBelow = new Float64Array(rows);
  const corners: LorenzPoint[] = [{ premiumShare: 0, lossShare: 0 }];
  let premiumSoFar = 0;
  let lossSoFar = 0;
  for (let run = 0, start = 0; run < ends.length; start = ends[run++]) {
    let runPremium = 0;
    let runLoss = 0;
    for (let i = start; i < ends[run]; i++) {
      runPremium += premium[order[i]];
      runLoss += loss[order[i]];
    }
    for (let i = start; i < ends[run]; i++) {
      premiumBelow[order[i]] = premiumSoFar + runPremium / 2;
      lossBelow[order[i]] = lossSoFar + runLoss / 2;
    }
    premiumSoFar += runPremium;
    lossSoFar += runLoss;
    corners.push({ premiumShare: premiumSoFar / totalPremium, lossShare: lossSoFar / totalLoss });
  }

  // Gini = 1 − 2 μh / (μP μL) with μh = mean of h₁
  const meanPremium = totalPremium / rows;
  const meanLoss = totalLoss / rows;
  const projection = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    projection[i] = (premium[i] * lossBelow[i] + loss[i] * (totalPremium - premiumBelow[i])) / (2 * rows);
  }
  const meanProjection = sum(projection) / rows;
  const value = 1 - (2 * meanProjection) / (meanPremium * meanLoss);

  // the theorem's Σ is the variance of this influence, written out there as six variances and covariances
  const scale = 2 / (meanPremium * meanLoss);
  let variance = 0;
  for (let i = 0; i < rows; i++) {
    const influence =
      scale * (2 * projection[i] - (meanProjection * loss[i]) / meanLoss - (meanProjection * premium[i]) / meanPremium);
    variance += influence * influence;
  }
  const standardError = Math.sqrt(variance) / rows;
  const half = criticalValue(confidence) * standardError;
  return {
    gini: { value, low: value - half, high: value + half },
    standardError,
    curve: thin(corners, points),
  };
}

/** Keeps the first corner at or after each of `points` evenly spaced premium shares, and both ends. */
function thin(corners: LorenzPoint[], points: number): LorenzPoint[] {
  if (corners.length <= points + 1) return corners;
  const kept: LorenzPoint[] = [];
  let next = 0;
  for (const corner of corners) {
    if (corner.premiumShare < next) continue;
    kept.push(corner);
    next = (Math.floor(corner.premiumShare * points) + 1) / points;
  }
  const last = corners[corners.length - 1];
  if (kept[kept.length - 1] !== last) kept.push(last);
  return kept;
}
