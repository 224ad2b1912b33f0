import { InvalidModel, type TreeModel } from '../trees/model.ts';

/** How XGBoost's objectives map to ours, and where a base score lives: on the scale of the prediction or of the margin. */
type Mapping = { xgboost: string; lightgbm: string; margin: (baseScore: number) => number };

const same = (score: number) => score;
const logit = (probability: number) => -Math.log(1 / probability - 1);

const mappings: Mapping[] = [
  { xgboost: 'reg:squarederror', lightgbm: 'regression', margin: same },
  { xgboost: 'reg:absoluteerror', lightgbm: 'regression_l1', margin: same },
  { xgboost: 'reg:pseudohubererror', lightgbm: 'huber', margin: same },
  { xgboost: 'reg:quantileerror', lightgbm: 'quantile', margin: same },
  { xgboost: 'reg:squaredlogerror', lightgbm: 'custom', margin: same },
  { xgboost: 'binary:logitraw', lightgbm: 'custom', margin: same },
  { xgboost: 'rank:ndcg', lightgbm: 'custom', margin: same },
  { xgboost: 'rank:pairwise', lightgbm: 'custom', margin: same },
  { xgboost: 'binary:logistic', lightgbm: 'binary', margin: logit },
  { xgboost: 'reg:logistic', lightgbm: 'cross_entropy', margin: logit },
  { xgboost: 'count:poisson', lightgbm: 'poisson', margin: Math.log },
  { xgboost: 'reg:gamma', lightgbm: 'gamma', margin: Math.log },
  { xgboost: 'reg:tweedie', lightgbm: 'tweedie', margin: Math.log },
  { xgboost: 'multi:softprob', lightgbm: 'multiclass', margin: same },
  { xgboost: 'multi:softmax', lightgbm: 'multiclass', margin: same },
];

/** The objective of an XGBoost model in our words, and its base scores as margins. Throws InvalidModel for one that is not known. */
export function objectiveOfXgboost(
  name: string,
  outputs: number,
  baseScores: number[],
): { objective: string; margins: number[] } {
  const mapping = mappings.find(({ xgboost }) => xgboost === name);
  if (mapping === undefined) throw new InvalidModel(`XGBoost objective ${name} is not supported.`);
  const margins = Array.from({ length: outputs }, (_, k) =>
    mapping.margin(baseScores.length === 1 ? baseScores[0] : baseScores[k]),
  );
  if (!margins.every(Number.isFinite)) {
    throw new InvalidModel(`The base score ${baseScores.join(', ')} has no margin for objective ${name}.`);
  }
  return { objective: withOptions(mapping.lightgbm, outputs), margins };
}

function withOptions(name: string, outputs: number): string {
  if (name === 'multiclass') return `multiclass num_class:${outputs}`;
  if (name === 'binary') return outputs === 1 ? 'binary sigmoid:1' : `multiclassova num_class:${outputs} sigmoid:1`;
  // several outputs of one regression have no name in LightGBM, unless a link must be kept
  const linked = ['cross_entropy', 'poisson', 'gamma', 'tweedie'].includes(name);
  return outputs === 1 || linked ? name : 'custom';
}

/**
 * XGBoost's objective for a model, its base score for a margin of zero, and what to multiply leaf values by.
 * Throws InvalidModel when XGBoost has none with the same link.
 */
export function objectiveForXgboost(model: TreeModel): { name: string; baseScore: number; scale: number } {
  const [name, ...options] = model.objective.split(' ');
  const sigmoid = Number(options.find((option) => option.startsWith('sigmoid:'))?.slice(8) ?? 1);
  if (options.includes('sqrt'))
    throw new InvalidModel('XGBoost has no objective whose predictions are squared (reg_sqrt).');
  if (name === 'multiclassova') return { name: 'binary:logistic', baseScore: 0.5, scale: sigmoid };
  if (name === 'custom') return { name: 'reg:squarederror', baseScore: 0, scale: 1 };
  const mapping = mappings.find(({ lightgbm }) => lightgbm === name);
  if (mapping === undefined) throw new InvalidModel(`XGBoost has no objective with the link of ${name}.`);
  const baseScore = mapping.margin === logit ? 0.5 : mapping.margin === Math.log ? 1 : 0;
  // the parameters of these losses are not part of a model that only scores, and their link is the identity
  const scoring = name === 'huber' || name === 'quantile' ? 'reg:squarederror' : mapping.xgboost;
  return { name: scoring, baseScore, scale: mapping.margin === logit ? sigmoid : 1 };
}
