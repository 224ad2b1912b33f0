import { ensureWhole } from '../ensure.ts';
import { random, type Random } from '../random.ts';

/** A declared space: parameter name → how its values are drawn. Bounds are inclusive. Plain JSON. */
export type SearchSpace = Record<string, Dimension>;

export type Dimension =
  | { uniform: readonly [low: number, high: number] }
  /** Even on the logarithm: for learning rates and penalties. */
  | { logUniform: readonly [low: number, high: number] }
  | { integer: readonly [low: number, high: number] }
  | { choice: readonly ParameterValue[] };

export type ParameterValue = number | string | boolean | null | readonly number[];

/** One point of the space; plain JSON, so that each can be fitted by its own Map iteration. */
export type Candidate = { trial: number; parameters: Record<string, ParameterValue> };

/** Thrown for a space that cannot be searched; it names the parameter. */
export class SearchSpaceError extends Error {
  override name = 'SearchSpaceError';
}

/**
 * Plans a random search (Bergstra and Bengio, JMLR 13, 2012): `trials` candidates, each drawn from its own stream. The
 * first candidates stay the same when more trials are planned or when the space lists its parameters in another order, and
 * a parameter's draws do not move when another parameter joins; so a broken search goes on where it stopped.
 */
export function planCandidates(space: SearchSpace, trials: number, seed: number | string): Candidate[] {
  ensureWhole('The number of trials', trials, 1);
  const names = Object.keys(space).sort();
  for (const name of names) ensureDimension(name, space[name]);
  const stream = random(seed);
  return Array.from({ length: trials }, (_, trial) => ({
    trial,
    parameters: Object.fromEntries(names.map((name) => [name, draw(space[name], stream.fork(`${trial}/${name}`))])),
  }));
}

/** What a trial came to; the score is the mean cross-validated metric. */
export type TrialResult = { trial: number; score: number };

/** The results from best to worst; of equal ones the earlier trial comes first, undefined scores come last. */
export function rankTrials<Result extends TrialResult>(
  results: readonly Result[],
  better: 'higher' | 'lower',
): Result[] {
  const loss = ({ score }: Result) => (Number.isNaN(score) ? Infinity : better === 'lower' ? score : -score);
  return results.toSorted((a, b) => {
    const [lossA, lossB] = [loss(a), loss(b)];
    return lossA === lossB ? a.trial - b.trial : lossA < lossB ? -1 : 1;
  });
}

function draw(dimension: Dimension, stream: Random): ParameterValue {
  if ('choice' in dimension) return stream.choice(dimension.choice);
  if ('integer' in dimension) {
    const [low, high] = dimension.integer;
    return low + stream.integer(high - low + 1);
  }
  if ('logUniform' in dimension) {
    const [low, high] = dimension.logUniform;
    return Math.min(high, low * Math.exp(stream.uniform() * Math.log(high / low)));
  }
  const [low, high] = dimension.uniform;
  return low + stream.uniform() * (high - low);
}

function ensureDimension(name: string, dimension: Dimension): void {
  const keys = Object.keys(dimension);
  if (keys.length !== 1 || !['uniform', 'logUniform', 'integer', 'choice'].includes(keys[0])) {
    throw new SearchSpaceError(
      `Parameter "${name}" has [${keys.join(', ')}]: it needs exactly one of uniform, logUniform, integer, choice.`,
    );
  }
  if ('choice' in dimension) {
    if (dimension.choice.length === 0) throw new SearchSpaceError(`Parameter "${name}" has no values to choose from.`);
    return;
  }
  const [low, high] = Object.values(dimension)[0];
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw new SearchSpaceError(`Parameter "${name}" needs finite bounds low ≤ high, they are ${low} and ${high}.`);
  }
  if ('logUniform' in dimension && low <= 0) {
    throw new SearchSpaceError(`Parameter "${name}" is logUniform and needs bounds > 0, the lower one is ${low}.`);
  }
  if ('integer' in dimension && !(Number.isInteger(low) && Number.isInteger(high))) {
    throw new SearchSpaceError(`Parameter "${name}" needs whole bounds, they are ${low} and ${high}.`);
  }
}
