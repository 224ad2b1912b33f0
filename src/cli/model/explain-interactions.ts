import { resolve } from 'node:path';
import { say, sayShare } from '../../governance/text.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { type ShapInteractions, shapInteractions } from '../../ml/shap/interactions.ts';
import { InvalidModel, type TreeModel } from '../../ml/trees/model.ts';
import { whole } from '../arguments.ts';
import type { Call } from '../command.ts';
import type { TableFile } from '../table-file.ts';
import { writeTableWith } from '../table-out.ts';

/**
 * `model explain --interactions`: what every feature does alone and every two together, on the scale of the raw score: the mean of
 * its size, largest first, or with `--out` a column for each, which add up to the raw score on every row.
 */
export async function explainInteractions(
  call: Call,
  file: string,
  model: TreeModel,
  table: TableFile,
  features: Matrix,
): Promise<void> {
  const interactions = shapInteractions(model, features);
  if (!interactions.values.every(Number.isFinite)) {
    throw new InvalidModel(`${file} cannot be explained: its covers are damaged or missing.`);
  }
  const { output } = call;
  const { outputs, rows } = interactions;
  const effects = Array.from({ length: outputs }, (_, k) => effectsOf(interactions, model, k));
  const importance = effects.flatMap((ofOutput) => importanceOf(ofOutput)).slice(0, whole(call, 'top', 1));
  const out = call.text('out');
  if (out !== undefined) {
    await writeTableWith(
      out,
      table,
      effects.flat().map((effect) => ({ name: columnName(effect, outputs), values: effect.values })),
    );
    output.print(resolve(out));
  } else {
    output.table(
      ['feature', 'together with', ...(outputs > 1 ? ['output'] : []), 'mean |SHAP|', 'share'],
      importance.map(({ features: [first, second = ''], output: k, meanAbsolute, share }) => [
        first,
        second,
        ...(outputs > 1 ? [String(k)] : []),
        say(meanAbsolute),
        sayShare(share),
      ]),
    );
  }
  output.document({ model: resolve(file), rows, importance, ...(out !== undefined && { out: resolve(out) }) });
}

/** A part of the raw score: of one feature alone, of two together, or of none (the expected value). */
type Effect = { features: string[]; output: number; values: Float64Array };

function effectsOf(
  { rows, outputs, columns, values }: ShapInteractions,
  { featureNames }: TreeModel,
  output: number,
): Effect[] {
  const run = columns + 1;
  const part = (features: string[], i: number, j: number): Effect => ({
    features,
    output,
    // a pair's effect stands in halves on either side of the diagonal
    values: Float64Array.from(
      { length: rows },
      (_, row) => (i === j ? 1 : 2) * values[((row * outputs + output) * run + i) * run + j],
    ),
  });
  const alone = featureNames.map((name, i) => part([name], i, i));
  const together = featureNames.flatMap((name, i) =>
    featureNames.slice(i + 1).map((other, k) => part([name, other], i, i + 1 + k)),
  );
  return [...alone, ...together, part([], columns, columns)];
}

function importanceOf(effects: Effect[]) {
  const sizes = effects
    .filter(({ features }) => features.length > 0)
    .map(({ features, output, values }) => ({
      features,
      output,
      meanAbsolute: values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length,
    }))
    .sort((a, b) => b.meanAbsolute - a.meanAbsolute);
  const total = sizes.reduce((sum, { meanAbsolute }) => sum + meanAbsolute, 0);
  return sizes.map((size) => ({ ...size, share: total > 0 ? size.meanAbsolute / total : 0 }));
}

/** `shap_age`, `shap_age:smoker`, `shap_expected_value`. */
function columnName({ features, output }: Effect, outputs: number): string {
  const name = features.length > 0 ? features.join(':') : 'expected_value';
  return outputs === 1 ? `shap_${name}` : `shap_${output}_${name}`;
}
