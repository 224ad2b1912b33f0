import { type Boosting, InvalidParameter, InvalidTrainingData } from './parameters.ts';
import { exp, log1p } from '../exponential.ts';

/**
 * What boosting needs to know about an objective. All arrays are per row; `score` is on the link scale (log for Poisson, Gamma
 * and Tweedie, logit for binary, the value itself otherwise) and includes the offset.
 */
export type Loss = {
  /** The objective as LightGBM names it in a model file. */
  name: string;
  /** The score is not on the scale of the target. */
  hasLink: boolean;
  /** Every hessian is 1 as long as rows are not weighted. */
  constantHessian: boolean;
  /** First and second derivative of the loss by the score, weighted; fills both arrays. */
  derivatives: (
    target: Float64Array,
    score: Float64Array,
    weight: Float64Array | null,
    gradient: Float64Array,
    hessian: Float64Array,
  ) => void;
  /** The constant score that minimises the loss, beside the offset. */
  initialScore: (target: Float64Array, weight: Float64Array | null, offset: Float64Array | null) => number;
  /** Weighted mean loss: what early stopping watches. */
  meanLoss: (target: Float64Array, score: Float64Array, weight: Float64Array | null) => number;
  /** For losses without curvature: the leaf's value is this quantile of its residuals, weighted. Null takes the Newton step. */
  leafQuantile: number | null;
  /** Throws InvalidTrainingData when a target lies outside the objective's domain. */
  check: (target: Float64Array) => void;
};

/** The loss of the objective asked for. */
export function lossOf(parameters: Boosting): Loss {
  return losses[parameters.objective](parameters);
}

const losses: Record<Boosting['objective'], (parameters: Boosting) => Loss> = {
  squared_error: () => ({
    name: 'regression',
    hasLink: false,
    constantHessian: true,
    derivatives: pointwise(
      (y, s) => s - y,
      () => 1,
    ),
    initialScore: weightedMeanResidual,
    meanLoss: mean((y, s) => (y - s) ** 2),
    leafQuantile: null,
    check: anyTarget,
  }),
  absolute_error: () => ({
    ...quantileLoss(0.5),
    name: 'regression_l1',
    derivatives: pointwise(
      (y, s) => (s >= y ? 1 : -1),
      () => 1,
    ),
    meanLoss: mean((y, s) => Math.abs(y - s)),
  }),
  quantile: ({ alpha }) => quantileLoss(alpha),
  huber: ({ alpha }) => ({
    name: 'huber',
    hasLink: false,
    constantHessian: true,
    derivatives: pointwise(
      (y, s) => Math.max(-alpha, Math.min(alpha, s - y)),
      () => 1,
    ),
    initialScore: (target, weight, offset) => {
      const residuals = target.map((y, i) => y - (offset === null ? 0 : offset[i]));
      const extremes = residuals.reduce(
        ([low, high], r) => [Math.min(low, r), Math.max(high, r)],
        [Infinity, -Infinity],
      );
      return rootOf((s) => weightedSum(weight, residuals, (r) => Math.max(-alpha, Math.min(alpha, s - r))), extremes);
    },
    meanLoss: mean((y, s) => {
      const residual = Math.abs(y - s);
      return residual <= alpha ? 0.5 * residual * residual : alpha * (residual - 0.5 * alpha);
    }),
    leafQuantile: null,
    check: anyTarget,
  }),
  poisson: () => ({
    name: 'poisson',
    hasLink: true,
    constantHessian: false,
    derivatives: pointwise(
      (y, s) => exp(s) - y,
      (_, s) => exp(s + poissonSafeguard),
    ),
    initialScore: logOfRatio(1),
    meanLoss: mean((y, s) => exp(s) - y * s),
    leafQuantile: null,
    check: notNegative('poisson'),
  }),
  gamma: () => ({
    name: 'gamma',
    hasLink: true,
    constantHessian: false,
    derivatives: pointwise(
      (y, s) => 1 - y * exp(-s),
      (y, s) => y * exp(-s),
    ),
    initialScore: logOfRatio(2),
    meanLoss: mean((y, s) => y * exp(-s) + s),
    leafQuantile: null,
    check: positive('gamma'),
  }),
  tweedie: ({ tweediePower: power }) => ({
    name: 'tweedie',
    hasLink: true,
    constantHessian: false,
    derivatives: pointwise(
      (y, s) => -y * exp((1 - power) * s) + exp((2 - power) * s),
      (y, s) => -y * (1 - power) * exp((1 - power) * s) + (2 - power) * exp((2 - power) * s),
    ),
    initialScore: logOfRatio(power),
    meanLoss: mean((y, s) => (-y * exp((1 - power) * s)) / (1 - power) + exp((2 - power) * s) / (2 - power)),
    leafQuantile: null,
    check: notNegative('tweedie'),
  }),
  binary: ({ scalePosWeight }) => binaryLoss(scalePosWeight),
};

/** LightGBM adds this to the log of the Poisson hessian (`poisson_max_delta_step`), which damps steps where counts are few. */
const poissonSafeguard = 0.7;

function quantileLoss(level: number): Loss {
  if (!(level < 1)) throw new InvalidParameter(`Objective quantile needs alpha below 1, it is ${level}.`);
  return {
    name: 'quantile',
    hasLink: false,
    constantHessian: true,
    derivatives: pointwise(
      (y, s) => (s >= y ? 1 - level : -level),
      () => 1,
    ),
    initialScore: (target, weight, offset) =>
      weightedQuantile(
        target.map((y, i) => y - (offset?.[i] ?? 0)),
        weight ?? new Float64Array(target.length).fill(1),
        level,
      ),
    meanLoss: mean((y, s) => (y >= s ? level * (y - s) : (1 - level) * (s - y))),
    leafQuantile: level,
    check: anyTarget,
  };
}

function binaryLoss(scalePosWeight: number): Loss {
  const rowWeight = (y: number) => (y > 0 ? scalePosWeight : 1);
  return {
    name: 'binary sigmoid:1',
    hasLink: true,
    constantHessian: false,
    // not by `pointwise`: both derivatives share the exponential, which is what they cost
    derivatives: (target, score, weight, gradient, hessian) => {
      for (let i = 0; i < target.length; i++) {
        const w = weight === null ? 1 : weight[i];
        const rowScale = rowWeight(target[i]);
        const probability = logistic(score[i]);
        gradient[i] = w * (rowScale * (probability - target[i]));
        hessian[i] = w * (rowScale * probability * (1 - probability));
      }
    },
    initialScore(target, weight, offset) {
      const positives = weightedSum(weight, target, (y) => y * scalePosWeight);
      const negatives = weightedSum(weight, target, (y) => 1 - y);
      const constant = Math.log(positives / negatives);
      if (offset === null) return constant;
      const most = offset.reduce((largest, o) => Math.max(largest, Math.abs(o)), 0);
      const slope = (s: number) => weightedSum(weight, target, (y, i) => rowWeight(y) * (logistic(s + offset[i]) - y));
      return rootOf(slope, [constant - most, constant + most]);
    },
    meanLoss: (target, score, weight) => {
      let sum = 0;
      let total = 0;
      for (let i = 0; i < target.length; i++) {
        const w = (weight === null ? 1 : weight[i]) * rowWeight(target[i]);
        sum += w * (Math.max(score[i], 0) - target[i] * score[i] + log1p(exp(-Math.abs(score[i]))));
        total += w;
      }
      return sum / total;
    },
    leafQuantile: null,
    check(target) {
      if (target.some((y) => y !== 0 && y !== 1)) {
        throw new InvalidTrainingData('Objective binary needs targets of 0 and 1 only.');
      }
      if (target.every((y) => y === target[0])) {
        throw new InvalidTrainingData(`Objective binary needs both classes, all targets are ${target[0]}.`);
      }
    },
  };
}

export function logistic(score: number): number {
  return 1 / (1 + exp(-score));
}

type PerRow = (target: number, score: number) => number;

function pointwise(first: PerRow, second: PerRow): Loss['derivatives'] {
  return (target, score, weight, gradient, hessian) => {
    for (let i = 0; i < target.length; i++) {
      const w = weight === null ? 1 : weight[i];
      gradient[i] = w * first(target[i], score[i]);
      hessian[i] = w * second(target[i], score[i]);
    }
  };
}

function mean(loss: PerRow): Loss['meanLoss'] {
  return (target, score, weight) => {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < target.length; i++) {
      const w = weight === null ? 1 : weight[i];
      sum += w * loss(target[i], score[i]);
      total += w;
    }
    return sum / total;
  };
}

function weightedMeanResidual(target: Float64Array, weight: Float64Array | null, offset: Float64Array | null): number {
  const residuals = weightedSum(weight, target, (y, i) => y - (offset === null ? 0 : offset[i]));
  return residuals / weightedSum(weight, target, () => 1);
}

/**
 * With a log link and variance μ^p the best constant c solves Σ w (y·μ^(1−p) − μ^(2−p)) = 0 with μ = exp(c + offset): a ratio of
 * two sums, whatever the offsets. p is 1 for Poisson and 2 for Gamma.
 */
function logOfRatio(power: number): Loss['initialScore'] {
  return (target, weight, offset) => {
    const shift = (i: number) => (offset === null ? 0 : offset[i]);
    const observed = weightedSum(weight, target, (y, i) => y * exp((1 - power) * shift(i)));
    const expected = weightedSum(weight, target, (_, i) => exp((2 - power) * shift(i)));
    if (!(observed > 0)) throw new InvalidTrainingData('All targets are zero: the log of their mean does not exist.');
    return Math.log(observed / expected);
  };
}

/** Where a rising function crosses zero between two points, by halving the interval. */
function rootOf(rising: (x: number) => number, [low, high]: number[]): number {
  for (let step = 0; step < 100 && high - low > 1e-12 * Math.max(1, Math.abs(low), Math.abs(high)); step++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function weightedSum(
  weight: Float64Array | null,
  values: Float64Array,
  term: (value: number, row: number) => number,
): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (weight === null ? 1 : weight[i]) * term(values[i], i);
  return sum;
}

/** The smallest value at which the weights below reach the level; half-way to the next when they meet it exactly. */
export function weightedQuantile(values: Float64Array, weights: Float64Array, level: number): number {
  const sorted = Int32Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b);
  let total = 0;
  for (const w of weights) total += w;
  const goal = level * total;
  let below = 0;
  for (let k = 0; k < sorted.length; k++) {
    below += weights[sorted[k]];
    if (below > goal) return values[sorted[k]];
    if (below === goal && k + 1 < sorted.length) return (values[sorted[k]] + values[sorted[k + 1]]) / 2;
  }
  return values[sorted[sorted.length - 1]];
}

function anyTarget(): void {}

function notNegative(objective: string): Loss['check'] {
  return (target) => {
    if (target.some((y) => y < 0)) throw new InvalidTrainingData(`Objective ${objective} needs targets of at least 0.`);
  };
}

function positive(objective: string): Loss['check'] {
  return (target) => {
    if (target.some((y) => y <= 0)) throw new InvalidTrainingData(`Objective ${objective} needs targets above 0.`);
  };
}
