import type { Dense } from './parameters.ts';
import type { DenseRows } from './rows.ts';
import { exp, log1p } from '../exponential.ts';

/**
 * The loss of one output: cross-entropy of the log-odds `raw` for `binary`, the squared difference for `squared_error`.
 */
export function outputLoss(objective: Dense['objective'], raw: number, target: number): number {
  if (objective === 'squared_error') return (raw - target) ** 2;
  return Math.max(raw, 0) - raw * target + log1p(exp(-Math.abs(raw)));
}

/** Mean loss over rows and outputs; `raw` is `[row * outputs + output]`. */
export function meanLoss(objective: Dense['objective'], raw: ArrayLike<number>, { target, weight }: DenseRows): number {
  const outputs = target.length / weight.length;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < target.length; i++) {
    const w = weight[Math.floor(i / outputs)];
    sum += w * outputLoss(objective, raw[i], target[i]);
    total += w;
  }
  return sum / total;
}
