import { type Matrix, column } from '../matrix.ts';
import type { LeakageFinding } from './finding.ts';

/**
 * Rows of the test set that stand in the training set too, label included: the model may have learned them by heart. Above
 * `maxShare` of the test rows it is a finding. `train` and `test` have the same columns. Where every feature and the label is a
 * class or a small count, different people are alike in all of them, and nothing is found.
 */
export function duplicatedRows(
  train: { features: Matrix; label: Float64Array },
  test: { features: Matrix; label: Float64Array },
  { maxShare = 0.01 }: { maxShare?: number } = {},
): LeakageFinding[] {
  if (!hasMeasurement(train)) return [];
  const ofTrain = rowHashes(train);
  const byHash = new Map<number, number[]>();
  for (let row = 0; row < ofTrain.length; row++) {
    const same = byHash.get(ofTrain[row]);
    if (same) same.push(row);
    else byHash.set(ofTrain[row], [row]);
  }
  let duplicates = 0;
  rowHashes(test).forEach((hash, row) => {
    if (byHash.get(hash)?.some((other) => isSameRow(test, row, train, other))) duplicates++;
  });
  const share = test.features.rows > 0 ? duplicates / test.features.rows : 0;
  if (share <= maxShare) return [];
  return [
    {
      check: 'duplicated-rows',
      message: `${duplicates} test rows stand in the training set too. Remove duplicates, or split by the entity's key.`,
      evidence: { duplicates, testRows: test.features.rows, share, maxShare },
    },
  ];
}

/** A column of more values than this tells rows apart. */
const mostClasses = 50;

function hasMeasurement({ features, label }: { features: Matrix; label: Float64Array }): boolean {
  const columns = [label, ...features.names.map((_, index) => column(features, index))];
  return columns.some((values) => new Set(values).size > mostClasses);
}

type Rows = { features: Matrix; label: Float64Array };

/** A number of 53 bits for each row, equal for equal rows; every NaN is the same missing value. */
function rowHashes({ features, label }: Rows): Float64Array {
  const { rows } = features;
  const low = new Int32Array(rows);
  const high = new Int32Array(rows);
  const number = new Float64Array(1);
  const bits = new Int32Array(number.buffer);
  const add = (values: Float64Array) => {
    for (let row = 0; row < rows; row++) {
      // −0 is 0, and a NaN has one form
      number[0] = Number.isNaN(values[row]) ? NaN : values[row] + 0;
      // multiply and rotate by odd constants: the finalisers of MurmurHash3 (Appleby, 2008)
      low[row] = Math.imul((low[row] ^ bits[0] ^ (bits[1] << 16)) >>> 0, 0x85ebca6b) ^ (low[row] >>> 13);
      high[row] = Math.imul((high[row] ^ bits[1] ^ (bits[0] >>> 11)) >>> 0, 0xc2b2ae35) ^ (high[row] >>> 16);
    }
  };
  add(label);
  features.names.forEach((_, index) => add(column(features, index)));
  return Float64Array.from(low, (word, row) => (high[row] >>> 11) * 2 ** 32 + (word >>> 0));
}

function isSameRow(a: Rows, row: number, b: Rows, other: number): boolean {
  const isSame = (x: number, y: number) => x === y || (Number.isNaN(x) && Number.isNaN(y));
  if (!isSame(a.label[row], b.label[other])) return false;
  for (let c = 0; c < a.features.columns; c++) {
    if (!isSame(a.features.values[c * a.features.rows + row], b.features.values[c * b.features.rows + other]))
      return false;
  }
  return true;
}
