import { ArgumentError, ensureSameRows } from '../ensure.ts';
import { weightedMean } from './regression.ts';
import { over, type Metric } from './metric.ts';

/** Deviance families by Tweedie power p, the variance function being mean^p; 1 < p < 2 is a claim cost with exact zeros. */
export type DevianceFamily = 'normal' | 'poisson' | 'gamma' | { tweedie: number };

/**
 * Mean unit deviance of a family (McCullagh and Nelder, "Generalized Linear Models", 1989, ch. 2; Jørgensen, "Exponential
 * dispersion models", 1987), exposure-weighted: `actual` and `predicted` are per unit of exposure (a claim frequency, a
 * pure premium), `weight` is the exposure. Less is better; 0 is perfect.
 *
 * Throws where a row lies outside the family: predictions must be > 0 (Poisson and Tweedie allow 0 beside an actual 0),
 * actuals ≥ 0, for Gamma > 0.
 */
export function deviance(family: DevianceFamily): Metric {
  const { name, unit, accepts } = describe(family);
  const metric: Metric = (actual, predicted, weight) => devianceOver(actual, predicted)(weight);
  // a bootstrap only changes the weights: the unit deviances of the rows stay
  const devianceOver = (actual: Float64Array, predicted: Float64Array) => {
    ensureSameRows({ actual, predicted });
    const units = new Float64Array(actual.length);
    for (let i = 0; i < units.length; i++) {
      if (!accepts(actual[i], predicted[i])) {
        throw new ArgumentError(
          `The ${name} deviance is not defined in row ${i}: it needs ${requirement(family)}. ` +
            `Clip the predictions, or choose a family that fits the label.`,
        );
      }
      units[i] = unit(actual[i], predicted[i]);
    }
    return (weight?: Float64Array) => {
      ensureSameRows({ actual, weight });
      return weightedMean(units, weight);
    };
  };
  metric.over = devianceOver;
  return metric;
}

/**
 * D²: the share of the null deviance that the predictions explain, 1 − deviance(predicted) / deviance(weighted mean of the
 * rows). It is R² for the normal family; NaN where the label does not vary.
 */
export function d2(family: DevianceFamily): Metric {
  const loss = deviance(family);
  const { unit } = describe(family);
  const metric: Metric = (actual, predicted, weight) => d2Over(actual, predicted)(weight);
  const d2Over = (actual: Float64Array, predicted: Float64Array) => {
    const ofModel = over(loss, actual, predicted);
    return (weight?: Float64Array) => {
      const mean = weightedMean(actual, weight);
      let sum = 0;
      let total = 0;
      for (let i = 0; i < actual.length; i++) {
        const w = weight ? weight[i] : 1;
        if (w === 0) continue;
        sum += w * unit(actual[i], mean);
        total += w;
      }
      const nullDeviance = sum / total;
      return nullDeviance > 0 ? 1 - ofModel(weight) / nullDeviance : NaN;
    };
  };
  metric.over = d2Over;
  return metric;
}

/** The deviance of one row: twice the log-likelihood that its prediction falls short of a perfect one. */
export function unitDeviance(family: DevianceFamily): (actual: number, predicted: number) => number {
  return describe(family).unit;
}

function describe(family: DevianceFamily) {
  const power = tweediePower(family);
  const name = typeof family === 'string' ? family : `Tweedie (p = ${family.tweedie})`;
  if (power === 0) return { name, unit: normalUnit, accepts: () => true };
  if (power === 1) return { name, unit: poissonUnit, accepts: acceptsZeros };
  if (power === 2) return { name, unit: gammaUnit, accepts: (y: number, mu: number) => y > 0 && mu > 0 };
  return { name, unit: tweedieUnit(power), accepts: acceptsZeros };
}

/** The power of the family's variance function: 0, 1, 2, or between 1 and 2. */
export function tweediePower(family: DevianceFamily): number {
  if (family === 'normal') return 0;
  if (family === 'poisson') return 1;
  if (family === 'gamma') return 2;
  if (!(family.tweedie > 1 && family.tweedie < 2)) {
    throw new ArgumentError(
      `A Tweedie power must lie between 1 and 2, it is ${family.tweedie}; use 'poisson' for 1 and 'gamma' for 2.`,
    );
  }
  return family.tweedie;
}

function requirement(family: DevianceFamily): string {
  return family === 'gamma' ? 'actual > 0 and predicted > 0' : 'actual ≥ 0 and predicted > 0';
}

function acceptsZeros(y: number, mu: number): boolean {
  return (y >= 0 && mu > 0) || (y === 0 && mu === 0);
}

function normalUnit(y: number, mu: number): number {
  return (y - mu) * (y - mu);
}

function poissonUnit(y: number, mu: number): number {
  return y === 0 ? 2 * mu : 2 * (y * Math.log(y / mu) - y + mu);
}

function gammaUnit(y: number, mu: number): number {
  return 2 * ((y - mu) / mu - Math.log(y / mu));
}

function tweedieUnit(p: number): (y: number, mu: number) => number {
  return (y, mu) =>
    2 * (y ** (2 - p) / ((1 - p) * (2 - p)) - (y === 0 ? 0 : (y * mu ** (1 - p)) / (1 - p)) + mu ** (2 - p) / (2 - p));
}
