import type { TreeModel } from './model.ts';
import { exp, log1p } from '../exponential.ts';

/**
 * Turns raw scores (rows × outputs, row-major) into predictions in place, as LightGBM does for the objective named in the model.
 * Objectives without a link, and `custom`, leave them as they are.
 */
export function inverseLink(model: TreeModel, scores: Float64Array): void {
  const [name, ...options] = model.objective.split(' ');
  switch (name) {
    case 'binary':
    case 'cross_entropy':
    case 'multiclassova': {
      const sigmoid = Number(options.find((option) => option.startsWith('sigmoid:'))?.slice(8) ?? 1);
      for (let i = 0; i < scores.length; i++) scores[i] = 1 / (1 + exp(-sigmoid * scores[i]));
      return;
    }
    case 'cross_entropy_lambda':
      for (let i = 0; i < scores.length; i++) scores[i] = log1p(exp(scores[i]));
      return;
    case 'poisson':
    case 'gamma':
    case 'tweedie':
      for (let i = 0; i < scores.length; i++) scores[i] = exp(scores[i]);
      return;
    case 'multiclass':
      for (let at = 0; at < scores.length; at += model.outputs) softmax(scores.subarray(at, at + model.outputs));
      return;
    default:
      if (!options.includes('sqrt')) return;
      for (let i = 0; i < scores.length; i++) scores[i] = Math.sign(scores[i]) * scores[i] * scores[i];
  }
}

function softmax(scores: Float64Array): void {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    scores[k] = exp(scores[k] - most);
    sum += scores[k];
  }
  for (let k = 0; k < scores.length; k++) scores[k] /= sum;
}
