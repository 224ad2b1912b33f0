import { type Boosting, type Forest, boostingParameters, forestParameters } from '../../ml/trees/parameters.ts';
import { numeric } from '../arguments.ts';
import { type Call, type Command, UsageError } from '../command.ts';
import { featureName } from './features.ts';

/** What learns. */
export const modelKinds = ['gradient-boosting', 'random-forest', 'glm'] as const;
export type ModelKind = (typeof modelKinds)[number];

type ParameterName = Exclude<keyof Boosting | keyof Forest, 'objective' | 'seed'>;

/** What each parameter of the trainers does; names, ranges and defaults are those of `src/ml/trees/parameters.ts`. */
const help: Record<ParameterName, string> = {
  alpha: 'huber: where the loss turns linear; quantile: the level',
  tweediePower: 'variance power of tweedie, between 1 and 2',
  scalePosWeight: 'binary: weight of the positive rows',
  iterations: 'trees of gradient boosting',
  trees: 'trees of a random forest',
  learningRate: 'share of each tree that counts',
  numLeaves: 'most leaves of a tree',
  maxDepth: 'most levels of a tree; 0 is no limit',
  featureFraction: 'share of the features that a tree (forest: a split) may use',
  featureFractionByNode: 'share of the tree’s features that a split may use',
  baggingFraction: 'share of the rows that a tree is grown on',
  baggingFrequency: 'trees after which these rows are drawn anew',
  earlyStoppingRounds: 'stop after so many trees without a better loss; needs --validation-share',
  bootstrap: 'draw rows with repeats for each tree of a forest: true or false',
  minSplitSamples: 'fewest rows that a node of a forest needs to be split',
  minChildSamples: 'fewest rows in a leaf',
  minChildWeight: 'least sum of hessians in a leaf',
  lambdaL1: 'penalty on the size of leaves',
  lambdaL2: 'penalty on the squared size of leaves',
  minSplitGain: 'least gain of a split',
  maxBin: 'most bins of a feature',
  minDataInBin: 'fewest rows of a bin',
  extraTrees: 'try one random threshold per feature: true or false',
  monotoneConstraints: 'a=1,b=-1: the prediction may only rise (1) or fall (-1) with the column',
  categoricalSmoothing: 'smoothing of the categories’ gradient statistics',
  categoricalL2: 'added to --lambda-l2 in splits of categories',
  maxCategoriesPerSplit: 'most categories on the smaller side of a split',
};

const names = Object.keys(help) as ParameterName[];

/** `numLeaves` → `num-leaves`, `lambdaL2` → `lambda-l2`. */
const optionOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** An option for every parameter of the trainers. */
export const parameterOptions: Command['options'] = Object.fromEntries(
  names.map((name) => [optionOf(name), { type: 'string', value: valueOf(name), help: help[name] }]),
);

function valueOf(name: ParameterName): string {
  if (name === 'monotoneConstraints') return 'LIST';
  return name === 'bootstrap' || name === 'extraTrees' ? 'BOOL' : 'N';
}

const shapes: Record<ModelKind, readonly string[]> = {
  'gradient-boosting': Object.keys(boostingParameters.shape),
  'random-forest': Object.keys(forestParameters.shape),
  glm: ['tweediePower'],
};

/**
 * The parameters given, by the trainer's names. Throws `UsageError` for one that this kind of model does not have; the values
 * themselves the trainer checks.
 */
export function givenParameters(call: Call, kind: ModelKind, features: readonly string[]): Record<string, unknown> {
  const given = names.filter((name) => call.text(optionOf(name)) !== undefined);
  const foreign = given.find((name) => !shapes[kind].includes(name));
  if (foreign !== undefined) {
    const owners = modelKinds.filter((other) => shapes[other].includes(foreign));
    throw new UsageError(
      `--${optionOf(foreign)} is a parameter of ${owners.join(' and ')}, not of ${kind}.`,
      'bordereau model --help',
    );
  }
  return Object.fromEntries(given.map((name) => [name, parameterValue(call, name, features)]));
}

function parameterValue(call: Call, name: ParameterName, features: readonly string[]): unknown {
  const option = optionOf(name);
  const text = call.text(option)!;
  if (name === 'monotoneConstraints') return constraintsOf(text, features);
  if (valueOf(name) === 'N') return numeric(call, option);
  if (text !== 'true' && text !== 'false') throw new UsageError(`--${option} takes true or false, not "${text}".`);
  return text === 'true';
}

/** One constraint per feature, 0 where the list has none. */
function constraintsOf(text: string, features: readonly string[]): number[] {
  const constraints = features.map(() => 0);
  for (const part of text.split(',')) {
    const [, column, sign] = /^(.+)=(-1|0|1)$/.exec(part.trim()) ?? [];
    const place = features.indexOf(featureName(column ?? ''));
    if (place < 0)
      throw new UsageError(`--monotone-constraints takes COLUMN=1 or COLUMN=-1 of the features, not "${part}".`);
    constraints[place] = Number(sign);
  }
  return constraints;
}
