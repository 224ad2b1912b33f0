import type { Matrix } from '../matrix.ts';
import type { LeakageFinding } from './finding.ts';

/**
 * Rows of the test set that stand in the training set too, label included: the model may have learned them by heart. Above
 * `maxShare` of the test rows it is a finding. `train` and `test` have the same columns.
 */
export function duplicatedRows(
  train: { features: Matrix; label: Float64Array },
  test: { features: Matrix; label: Float64Array },
  { maxShare = 0.01 }: { maxShare?: number } = {},
): LeakageFinding[] {
  const seen = new Set<string>();
  for (let row = 0; row < train.features.rows; row++) seen.add(rowKey(train.features, train.label, row));
  let duplicates = 0;
  for (let row = 0; row < test.features.rows; row++) {
    if (seen.has(rowKey(test.features, test.label, row))) duplicates++;
  }
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

/** The exact numbers of a row as text; every NaN is the same missing value. */
function rowKey({ columns, rows, values }: Matrix, label: Float64Array, row: number): string {
  let key = String(label[row]);
  for (let c = 0; c < columns; c++) key += `|${values[c * rows + row]}`;
  return key;
}
