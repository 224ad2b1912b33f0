import { ArgumentError, ensureWhole } from '../ensure.ts';
import { ascending, tieEnds } from '../metrics/order.ts';
import { random } from '../random.ts';
import { keyShare } from './key-hash.ts';

/** Row numbers to fit on and row numbers to judge on, both ascending and disjoint. */
export type Split = { train: Uint32Array; test: Uint32Array };

/** k folds of shuffled rows; sizes differ by at most one, and every row is judged once. */
export function kFold(rows: number, options: { folds: number; seed: number | string }): Split[] {
  return stratifiedKFold(new Uint8Array(rows), options);
}

/** k folds that hold the classes in the same shares: the counts of each class differ by at most one between folds. */
export function stratifiedKFold(
  labels: ArrayLike<string | number | boolean>,
  { folds, seed }: { folds: number; seed: number | string },
): Split[] {
  ensureFolds(folds, labels.length);
  const foldOf = new Int32Array(labels.length);
  // dealt like cards: the shuffled rows of one class after the other, round the folds
  shuffledByClass(labels, seed).forEach((row, position) => {
    foldOf[row] = position % folds;
  });
  return splitsOf(foldOf, folds);
}

/**
 * k folds that keep all rows of a key together, by a hash of the key: a key stays in its fold when data is added. Fold
 * sizes vary as chance has it. Throws when a fold is empty, which happens with few keys.
 */
export function groupedKFold(
  keys: ArrayLike<string>,
  { folds, salt }: { folds: number; salt: string | number },
): Split[] {
  ensureFolds(folds, keys.length);
  const splits = splitsOf(
    Int32Array.from(keys, (key) => Math.floor(folds * keyShare(key, salt))),
    folds,
  );
  const empty = splits.findIndex((split) => split.test.length === 0);
  if (empty >= 0) {
    throw new ArgumentError(`Fold ${empty + 1} of ${folds} got no key: there are too few keys. Declare fewer folds.`);
  }
  return splits;
}

/**
 * Forward chaining: the rows in order of time are cut into k + 1 blocks, and fold i fits on the first i blocks and is
 * judged on the next. Rows of one time share a block. The first block is never judged.
 */
export function timeOrderedFolds(times: ArrayLike<number>, { folds }: { folds: number }): Split[] {
  ensureFolds(folds, times.length);
  const order = ascending(times);
  const ends = tieEnds(times, order);
  // each cut moves on to the end of its run of equal times
  const cuts = Array.from({ length: folds + 2 }, (_, block) => {
    const ideal = Math.round((block * times.length) / (folds + 1));
    return block === 0 ? 0 : (ends.find((end) => end >= ideal) ?? times.length);
  });
  return Array.from({ length: folds }, (_, fold) => {
    const [start, end] = [cuts[fold + 1], cuts[fold + 2]];
    if (end === start || start === 0) {
      throw new ArgumentError(`Fold ${fold + 1} of ${folds} has no time of its own. Declare fewer folds.`);
    }
    return { train: order.slice(0, start).sort(), test: order.slice(start, end).sort() };
  });
}

/** The fold that judges each row; −1 for a row that no fold judges. */
export function foldOf(splits: readonly Split[], rows: number): Int32Array {
  const folds = new Int32Array(rows).fill(-1);
  splits.forEach(({ test }, fold) => {
    for (const row of test) folds[row] = fold;
  });
  return folds;
}

/** The rows of one class after the other, classes in order of first appearance, each shuffled. */
export function shuffledByClass(labels: ArrayLike<string | number | boolean>, seed: number | string): Uint32Array {
  const rowsOf = new Map<string | number | boolean, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const rows = rowsOf.get(labels[row]);
    if (rows) rows.push(row);
    else rowsOf.set(labels[row], [row]);
  }
  const stream = random(seed);
  return Uint32Array.from([...rowsOf.values()].flatMap((rows) => stream.shuffle(rows)));
}

function splitsOf(foldOfRow: Int32Array, folds: number): Split[] {
  return Array.from({ length: folds }, (_, fold) => {
    const train: number[] = [];
    const test: number[] = [];
    foldOfRow.forEach((own, row) => (own === fold ? test : train).push(row));
    return { train: Uint32Array.from(train), test: Uint32Array.from(test) };
  });
}

function ensureFolds(folds: number, rows: number): void {
  ensureWhole('The number of folds', folds, 2);
  if (rows < folds) throw new ArgumentError(`${folds} folds need at least ${folds} rows, there are ${rows}.`);
}
