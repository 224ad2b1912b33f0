import type { Cell, Columns } from '../../ml/encoders/columns.ts';
import { isMissing, levelOf, numbers } from '../../ml/encoders/columns.ts';
import type { MonitoredColumn, MonitoredRows } from '../../monitoring/reference.ts';
import { outputColumn } from '../../usecase/check.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { outputNames } from '../../usecase/label.ts';
import { usableViews } from '../../usecase/views.ts';

/**
 * What monitoring watches of scored rows: every feature and every carried column, the predictions and the flags; of several outputs
 * each one, and their mean as the prediction; of an event the decision, so that its rates are watched. Numeric features are numbers,
 * all others categories. The label is not among them: its drift is measured as performance.
 */
export function monitoredRows(declaration: Declaration, columns: Columns): MonitoredRows {
  const { features, score } = usableViews(declaration);
  const outputs = outputNames(declaration).map(outputColumn);
  return {
    columns: [
      ...[...features.numeric, ...outputs].map((name): MonitoredColumn => ({
        name,
        kind: 'number',
        values: numbers(name, columns[name]),
      })),
      ...[...features.categorical, ...features.carried, ...(score.decision ? ['category'] : [])].map(
        (name): MonitoredColumn => ({
          name,
          kind: 'category',
          values: Array.from(columns[name], levelOrMissing),
        }),
      ),
    ],
    predictions: numbers('prediction', columns['prediction']),
    flags: Object.fromEntries(
      Object.keys(score.flags).map((flag) => [flag, Uint8Array.from(columns[flag], (cell) => (cell === true ? 1 : 0))]),
    ),
  };
}

const levelOrMissing = (cell: Cell): string | null => (isMissing(cell) ? null : levelOf(cell));
