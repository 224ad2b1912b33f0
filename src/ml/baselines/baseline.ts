import { median } from 'd3-array';
import { ensureSameRows } from '../ensure.ts';
import type { Cell, Columns } from '../encoders/columns.ts';
import { EncodingError, numbers } from '../encoders/columns.ts';
import { weightedMean } from '../metrics/regression.ts';

/** What a model has to beat: one prediction per row, in the label's unit, from the columns that scoring has too. */
export type Baseline = {
  name: string;
  predict(columns: Columns, rows: number): Float64Array;
};

/**
 * The best constant of the training labels: their weighted mean (what squared error and deviances ask for) or their median
 * (what the absolute error asks for; weights do not count).
 */
export function constantBaseline(
  training: Float64Array,
  options: { figure?: 'mean' | 'median'; weight?: Float64Array } = {},
): Baseline & { value: number } {
  const { figure = 'mean', weight } = options;
  ensureSameRows({ training, weight });
  const value = figure === 'mean' ? weightedMean(training, weight) : (median(training) ?? NaN);
  return { name: `constant ${figure}`, value, predict: (_, rows) => new Float64Array(rows).fill(value) };
}

/** The rules in force today, where they are already a column of the data (a tariff premium, a manual score). */
export function columnBaseline(name: string, column: string): Baseline {
  return {
    name,
    predict(columns, rows) {
      const cells = columns[column] as ArrayLike<Cell> | undefined;
      if (!cells) throw new EncodingError(`The baseline "${name}" reads the column "${column}", which is missing.`);
      const values = numbers(column, cells);
      ensureSameRows({ [`the baseline "${name}"`]: values, rows: { length: rows } });
      return values;
    },
  };
}

/** The rules in force today as a function of one row. */
export function rulesBaseline(name: string, rule: (row: Record<string, Cell>) => number): Baseline {
  return {
    name,
    predict(columns, rows) {
      const names = Object.keys(columns);
      const values = new Float64Array(rows);
      for (let i = 0; i < rows; i++) values[i] = rule(Object.fromEntries(names.map((key) => [key, columns[key][i]])));
      return values;
    },
  };
}
