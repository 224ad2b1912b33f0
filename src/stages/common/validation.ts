import { type CrossValidation, crossValidate } from '../../ml/tune/cross-validate.ts';
import { groupedKFold } from '../../ml/tune/folds.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import type { RowSet } from './frozen-sets.ts';
import { learn, predictRows, takeColumns } from './learning.ts';
import { type MetricSet, labelReference, metricSet } from './metric-set.ts';
import { searchOf } from './search.ts';

/** Cross-validates a candidate over these rows as declared; encoders are fitted anew in each fold, an entity's rows share one. */
export function validateCandidate(
  declaration: Declaration,
  candidate: Candidate,
  { keys, columns, label }: RowSet,
): CrossValidation<keyof MetricSet> {
  const { folds, seed } = searchOf(declaration, candidate.kind);
  return crossValidate({
    splits: groupedKFold(keys, { folds, salt: seed }),
    actual: label,
    metrics: metricSet(labelReference(label, declaration.label.highQuantile)),
    fit: (rows) =>
      learn(
        declaration,
        candidate,
        takeColumns(columns, rows),
        Float64Array.from(rows, (row) => label[row]),
      ),
    predict: (learnt, rows) => predictRows(learnt, takeColumns(columns, rows)),
  });
}
