import { ArgumentError, ensureSameRows } from '../ensure.ts';
import type { Groups } from '../metrics/actual-expected.ts';
import type { DevianceFamily } from '../metrics/deviance.ts';
import { type ActuarialTables, actuarialSuite, actuarialTables, suggestFamily } from './actuarial.ts';
import { classificationSuite } from './classification.ts';
import { quantileSuite } from './quantile.ts';
import { regressionSuite } from './regression.ts';
import { type Suite, type SuiteResult, evaluateSuite } from './suite.ts';

/** What the label is: `classification` 0 or 1 against probabilities, `count` whole numbers ≥ 0 as claims, `regression` any number. */
export type LabelKind = 'regression' | 'classification' | 'count';

export type JudgedRows = {
  /** Of the row as it stands: a total where there is exposure. */
  actual: Float64Array;
  predicted: Float64Array;
  weight?: Float64Array;
  /** > 0 per row: labels and predictions become rates per unit of it, and every figure is weighted by it. */
  exposure?: Float64Array;
};

export type EvaluationOptions = {
  kind: LabelKind;
  seed: number | string;
  /** @default 1000 */
  resamples?: number;
  /** Of decisions in a classification. @default 0.5 */
  threshold?: number;
  /** The predictions are this quantile of the label, not its mean. */
  quantile?: number;
  /** @default - as the labels suggest */
  family?: DevianceFamily;
  /** Columns by whose levels A/E is told. */
  groups?: Readonly<Record<string, Groups>>;
};

/** Plain JSON. */
export type Evaluation = {
  kind: LabelKind;
  rows: number;
  /** Null where every row counts alike. */
  exposure: number | null;
  metrics: SuiteResult[];
  /** For counts and wherever there is exposure, as long as predictions are above zero. */
  actuarial: ActuarialTables | null;
};

/** The suite that belongs to the label's kind, with intervals; for insurance rates the actuary's figures besides. */
export function evaluatePredictions(rows: JudgedRows, options: EvaluationOptions): Evaluation {
  const { kind, seed, resamples = 1000, threshold = 0.5, groups = {} } = options;
  const { exposure } = rows;
  ensureSameRows(rows);
  if (kind === 'classification' && exposure) {
    throw new ArgumentError('Exposure makes rates of totals, and a class is none: use weights instead.');
  }
  const { actual, predicted, weight } = exposure ? ratesOf(rows, exposure) : rows;
  const isActuarial = kind === 'count' || exposure !== undefined || options.family !== undefined;
  const family = isActuarial ? (options.family ?? suggestFamily(rows.actual, rows.predicted, kind === 'count')) : null;
  const suite: Suite = {
    ...suiteOf(kind, threshold, options.quantile),
    ...(family && actuarialSuite(family)),
  };
  const given = weight === undefined ? {} : { weight };
  return {
    kind,
    rows: actual.length,
    exposure: weight ? weight.reduce((sum, w) => sum + w, 0) : null,
    metrics: evaluateSuite(suite, actual, predicted, { seed, resamples, ...given }),
    actuarial: family && actuarialTables(family, actual, predicted, { ...given, groups }),
  };
}

function suiteOf(kind: LabelKind, threshold: number, quantile: number | undefined): Suite {
  if (kind === 'classification') return classificationSuite(threshold);
  return quantile === undefined ? regressionSuite : quantileSuite(quantile);
}

/**
 * The kind that the values suggest: classes where labels are 0 and 1 only and predictions are probabilities, counts where labels
 * are whole, none is negative and there is exposure, else any number.
 */
export function kindOf({ actual, predicted, exposure }: JudgedRows): LabelKind {
  const isBinary = actual.every((value) => value === 0 || value === 1);
  if (isBinary && exposure === undefined && predicted.every((p) => p >= 0 && p <= 1)) return 'classification';
  const isCount = exposure !== undefined && actual.every((value) => value >= 0 && Number.isInteger(value));
  return isCount ? 'count' : 'regression';
}

/**
 * The mean of a forest's zeros and ones may end a rounding error outside 0 … 1: beside labels of 0 and 1 such predictions are
 * brought back to the edge. All others stay as they are.
 */
export function withoutRoundingError(actual: Float64Array, predicted: Float64Array): Float64Array {
  const most = 1e-9;
  if (!actual.every((value) => value === 0 || value === 1)) return predicted;
  return predicted.map((p) => {
    if (p < 0 && p > -most) return 0;
    return p > 1 && p < 1 + most ? 1 : p;
  });
}

/** Totals over exposure, weighted by it. Equal rates stay equal: a rate times an exposure over it may differ in its last digits. */
export function ratesOf(rows: Pick<JudgedRows, 'actual' | 'predicted' | 'weight'>, exposure: Float64Array) {
  return {
    actual: rows.actual.map((total, row) => total / exposure[row]),
    predicted: rows.predicted.map((total, row) => withoutLastDigits(total / exposure[row])),
    weight: rows.weight ? rows.weight.map((weight, row) => weight * exposure[row]) : exposure,
  };
}

/** Ranks and bins hang on ties, and a model of trees has many. */
const withoutLastDigits = (rate: number) => Number(rate.toPrecision(13));
