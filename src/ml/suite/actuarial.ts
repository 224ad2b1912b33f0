import { actualToExpected } from '../fairness/measures.ts';
import {
  type ActualExpectedRow,
  type Groups,
  actualOverExpected,
  actualOverExpectedByPrediction,
  balance,
} from '../metrics/actual-expected.ts';
import { type DevianceFamily, d2, deviance } from '../metrics/deviance.ts';
import { gini, orderedLorenz } from '../metrics/gini.ts';
import type { Estimate } from '../metrics/metric.ts';
import { type MurphyDecomposition, murphyDecomposition } from '../metrics/murphy.ts';
import type { Suite } from './suite.ts';

/** Rates against predicted rates: ranking, level and likelihood. Predictions must lie in the family's range. */
export function actuarialSuite(family: DevianceFamily): Suite {
  const name = familyName(family);
  return {
    gini: { metric: gini, title: 'ordered Gini', better: 'higher', unit: 'ratio' },
    actual_over_expected: {
      metric: actualToExpected,
      title: 'actual over expected',
      better: { target: 1 },
      unit: 'ratio',
    },
    deviance: { metric: deviance(family), title: `${name} deviance`, better: 'lower', unit: 'nats' },
    d2: { metric: d2(family), title: `D² (${name})`, better: 'higher', unit: 'ratio' },
  };
}

/** The tables that belong to the figures; plain JSON. */
export type ActuarialTables = {
  family: string;
  /** With the interval of normal theory instead of the bootstrap's. */
  gini: { value: Estimate; standardError: number };
  /** Total actual over total expected, interval by the delta method. */
  balance: Estimate;
  murphy: MurphyDecomposition;
  /** Ten groups of equal exposure by ascending prediction: A/E and lift. */
  byPrediction: ActualExpectedRow[];
  /** The same by the values of other columns. */
  byColumn: { column: string; groups: ActualExpectedRow[] }[];
};

/** `actual` and `predicted` are per unit of exposure; `groups` are the levels of further columns. */
export function actuarialTables(
  family: DevianceFamily,
  actual: Float64Array,
  predicted: Float64Array,
  { weight, groups = {} }: { weight?: Float64Array; groups?: Readonly<Record<string, Groups>> } = {},
): ActuarialTables {
  const given = weight === undefined ? {} : { weight };
  const lorenz = orderedLorenz(actual, predicted, given);
  return {
    family: familyName(family),
    gini: { value: lorenz.gini, standardError: lorenz.standardError },
    balance: balance(actual, predicted, weight),
    murphy: murphyDecomposition(deviance(family), actual, predicted, weight),
    byPrediction: actualOverExpectedByPrediction(actual, predicted, given),
    byColumn: Object.entries(groups).map(([column, codes]) => ({
      column,
      groups: actualOverExpected(actual, predicted, codes, weight),
    })),
  };
}

/**
 * The family that labels suggest: Poisson for counts, Gamma where every amount is above zero, Tweedie (1.5) where some are zero.
 * Null for negative labels, and for predictions at or below zero, of which no such family knows a likelihood.
 */
export function suggestFamily(totals: Float64Array, predicted: Float64Array, isCount: boolean): DevianceFamily | null {
  if (totals.some((value) => value < 0) || predicted.some((value) => !(value > 0))) return null;
  if (isCount) return 'poisson';
  return totals.every((value) => value > 0) ? 'gamma' : { tweedie: 1.5 };
}

function familyName(family: DevianceFamily): string {
  if (typeof family === 'object') return `Tweedie ${family.tweedie}`;
  return { normal: 'normal', poisson: 'Poisson', gamma: 'Gamma' }[family];
}
