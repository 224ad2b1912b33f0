import { fitBeta } from '../../src/ml/calibration/beta.ts';
import { applyConformal, fitConformal } from '../../src/ml/calibration/conformal.ts';
import {
  applyConformalQuantileRegression,
  fitConformalQuantileRegression,
} from '../../src/ml/calibration/conformal-quantile-regression.ts';
import { applyConformalTails, fitConformalTails } from '../../src/ml/calibration/conformal-tails.ts';
import { applyIsotonic, fitIsotonic } from '../../src/ml/calibration/isotonic.ts';
import { applyDesign, fitDesign } from '../../src/ml/encoders/design.ts';
import { assessFairness } from '../../src/ml/fairness/assess.ts';
import { glmContributions } from '../../src/ml/glm/contributions.ts';
import type { GlmFamily } from '../../src/ml/glm/family.ts';
import { coefficientTable, fitGlm, predictGlm } from '../../src/ml/glm/glm.ts';
import type { Random } from '../../src/ml/random.ts';
import { binary, many, rounded, weights } from './draws.ts';
import type { Comparison } from './libraries.ts';

const array = (values: readonly number[]) => Float64Array.from(values);

const glmFamilies = ['normal', 'poisson', 'gamma', 'tweedie', 'binomial'] as const;

/** A label that comes from the family, given the linear predictor. */
function labelOf(family: (typeof glmFamilies)[number], eta: number, stream: Random): number {
  switch (family) {
    case 'normal':
      return eta + stream.normal();
    case 'poisson':
      return stream.poisson(Math.exp(eta));
    case 'gamma':
      return Math.exp(eta) * stream.gamma(2, 1 / 2) + 1e-6;
    case 'tweedie':
      return stream.poisson(1) * Math.exp(eta) * stream.gamma(2, 1 / 2);
    default:
      return Number(stream.uniform() < 1 / (1 + Math.exp(-eta)));
  }
}

/** Calibration rows and fresh predictions; no rank of a level is whole, where rounding would choose between two quantiles. */
function calibration(stream: Random) {
  const rows = 200 + 7 * stream.integer(30);
  const cost = () => stream.gamma(4, 800) + 200;
  const predicted = many(rows, cost);
  const level = 0.8 + 0.01 * stream.integer(15) + 0.00137;
  return {
    predicted,
    actual: predicted.map((value) => value * stream.gamma(4, 1 / 4)),
    fresh: many(40, cost),
    level,
    relative: stream.uniform() < 0.5,
  };
}

export const models: Comparison[] = [
  {
    name: 'glm',
    tolerance: 1e-6,
    draw(stream) {
      const family = stream.choice(glmFamilies);
      const rows = 150 + stream.integer(400);
      const columns = 1 + stream.integer(4);
      const features = Array.from({ length: columns }, () => many(rows, () => stream.normal()));
      const slopes = many(columns, () => stream.normal(0, 0.4));
      const label = many(rows, (row) =>
        labelOf(family, 0.2 + slopes.reduce((sum, slope, c) => sum + slope * features[c][row], 0), stream),
      );
      const hasLog = family === 'poisson' || family === 'gamma' || family === 'tweedie';
      const exposure = hasLog && stream.uniform() < 0.5 ? many(rows, () => 0.1 + stream.uniform()) : null;
      const weight = family !== 'binomial' && exposure === null ? weights(stream, rows) : null;
      const input = { family, features, label, exposure, weight };

      const names = features.map((_, c) => `x${c}`);
      const matrix = { rows, columns, names, values: array(features.flat()) };
      const declared: GlmFamily = family === 'tweedie' ? { tweedie: 1.5 } : family;
      const glm = fitGlm(matrix, array(label), {
        family: declared,
        ...(exposure && { exposure: array(exposure) }),
        ...(weight && { weight: array(weight) }),
      });
      const table = coefficientTable(glm);
      return {
        input,
        ours: {
          coefficients: table.map(({ coefficient }) => coefficient),
          standardErrors: table.map(({ standardError }) => standardError),
          pValues: table.map(({ pValue }) => pValue),
          deviance: glm.deviance,
          nullDeviance: glm.nullDeviance,
          dispersion: glm.dispersion,
          fitted: [...predictGlm(glm, matrix, exposure ? array(exposure) : undefined)],
        },
      };
    },
  },
  {
    name: 'linear_shap',
    tolerance: 1e-9,
    draw(stream) {
      const rows = 40 + stream.integer(100);
      const columns = Object.fromEntries(
        many(1 + stream.integer(5), (c) => c).map((c) => [`x${c}`, many(rows, () => stream.normal(c))]),
      );
      const design = fitDesign(
        columns,
        Object.keys(columns).map((column) => ({ column, as: 'number', impute: 'mean' })),
      );
      const matrix = applyDesign(design, columns);
      const label = Float64Array.from({ length: rows }, (_, row) => matrix.values[row] + stream.normal());
      const fitted = fitGlm(matrix, label, { family: 'normal' });
      const [intercept, ...slopes] = fitted.terms.map(({ coefficient }) => coefficient);
      return {
        input: { intercept, slopes, features: Object.values(columns) },
        ours: { contributions: [...glmContributions(fitted, design, matrix)] },
      };
    },
  },
  {
    name: 'conformal',
    tolerance: 1e-8,
    draw(stream) {
      const input = calibration(stream);
      const options = { score: input.relative ? 'relative' : 'absolute', miscoverage: 1 - input.level } as const;
      const given = [array(input.actual), array(input.predicted), options] as const;
      const symmetric = applyConformal(fitConformal(...given), array(input.fresh));
      const tails = applyConformalTails(fitConformalTails(...given), array(input.fresh));
      return {
        input,
        ours: {
          low: [...symmetric.low],
          high: [...symmetric.high],
          tailLow: [...tails.low],
          tailHigh: [...tails.high],
        },
      };
    },
  },
  {
    name: 'conformal_quantiles',
    tolerance: 1e-8,
    draw(stream) {
      const { predicted, actual, fresh, level } = calibration(stream);
      const around = (values: readonly number[]) => ({
        low: values.map((value) => value * 0.7),
        high: values.map((value) => value * 1.2 + 10),
      });
      const input = { actual, level, calibrated: around(predicted), asked: around(fresh), predicted, fresh };
      const fitted = fitConformalQuantileRegression(
        array(actual),
        { low: array(input.calibrated.low), high: array(input.calibrated.high) },
        { miscoverage: 1 - level },
      );
      const { low, high } = applyConformalQuantileRegression(fitted, {
        low: array(input.asked.low),
        high: array(input.asked.high),
      });
      return { input, ours: { low: [...low], high: [...high] } };
    },
  },
  {
    name: 'isotonic',
    tolerance: 1e-9,
    draw(stream) {
      const rows = 20 + stream.integer(200);
      const x = rounded(
        many(rows, () => 10 * stream.uniform()),
        1,
      );
      const input = {
        x,
        y: x.map((value) => Math.sqrt(value) + stream.normal(0, 0.6)),
        weight: weights(stream, rows) ?? x.map(() => 1),
        grid: many(40, (i) => i / 3 - 1),
      };
      const isotonic = fitIsotonic(array(input.x), array(input.y), array(input.weight));
      return { input, ours: { values: [...applyIsotonic(isotonic, array(input.grid))] } };
    },
  },
  {
    name: 'beta_calibration',
    tolerance: 1e-5,
    draw(stream) {
      const truth = { a: 0.7 + stream.uniform(), b: 0.7 + stream.uniform(), c: stream.normal(0, 0.3) };
      const predicted = many(600, () => 0.02 + 0.96 * stream.uniform());
      const actual = predicted.map((p) =>
        Number(stream.uniform() < 1 / (1 + Math.exp(-(truth.a * Math.log(p) - truth.b * Math.log(1 - p) + truth.c)))),
      );
      const { a, b, c } = fitBeta(array(predicted), array(actual));
      return { input: { predicted, actual }, ours: { a, b, c } };
    },
  },
  {
    name: 'fairness',
    tolerance: 1e-12,
    draw(stream) {
      const rows = 150 + stream.integer(300);
      const groups = ['a', 'b', 'c', 'd'].slice(0, 2 + stream.integer(3));
      const input = {
        ...binary(stream, rows),
        group: Array.from({ length: rows }, () => stream.choice(groups)),
        weight: weights(stream, rows),
        threshold: 0.5,
      };
      const assessment = assessFairness('binary', input.threshold, {
        actual: array(input.actual),
        predicted: array(input.predicted),
        sensitive: { feature: 'group', values: input.group },
        minGroupRows: 1,
        seed: 1,
        resamples: 1,
        ...(input.weight && { weight: array(input.weight) }),
      });
      const { table, demographicParity, equalizedOdds } = assessment;
      const names = ['selectionRate', 'accuracy', 'truePositiveRate', 'falsePositiveRate'];
      return {
        input,
        ours: {
          overall: names.map((name) => table.overall[name].value),
          byGroup: table.groups.flatMap(({ metrics }) => names.map((name) => metrics[name].value)),
          difference: names.map((name) => table.gaps[name]?.difference.value ?? NaN),
          ratio: names.map((name) => table.gaps[name]?.ratio.value ?? NaN),
          demographicParity: [demographicParity!.difference.value, demographicParity!.ratio.value],
          equalizedOdds: [equalizedOdds!.difference.value, equalizedOdds!.ratio.value],
        },
      };
    },
  },
];
