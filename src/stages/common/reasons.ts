import type { ExplainedRows } from './learning.ts';

/** Why a prediction is what it is: a feature, and which way it moves the prediction. Never the feature's value. */
export type Reason = { feature: string; effect: 'raises' | 'lowers' };

/**
 * The features of largest SHAP value of each row and output, largest first, `most` of them at most: `reasons[row * outputs +
 * output]`. A feature that adds nothing is no reason.
 */
export function reasonsOf({ matrix, outputs, shap }: ExplainedRows, most: number): Reason[][] {
  const { rows, columns, names } = matrix;
  const run = columns + 1;
  return Array.from({ length: rows * outputs }, (_, i) => {
    const start = i * run;
    const taken: number[] = [];
    for (let k = 0; k < most; k++) {
      let best = -1;
      let largest = 0;
      for (let c = 0; c < columns; c++) {
        const size = Math.abs(shap[start + c]);
        if (size > largest && !taken.includes(c)) [best, largest] = [c, size];
      }
      if (best < 0) break;
      taken.push(best);
    }
    return taken.map((c) => ({ feature: names[c], effect: shap[start + c] > 0 ? 'raises' : 'lowers' }));
  });
}
