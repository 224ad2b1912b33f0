import { resolve } from 'node:path';
import { type Call, UsageError } from '../command.ts';
import { convertNetwork } from './convert-network.ts';
import { ensureModelName, readModel, writeTreeModel } from './model-file.ts';

/**
 * `model convert`: the same trees in the other library's format, which the new file's extension says; a network in another precision.
 */
export async function convert(call: Call): Promise<void> {
  const [, from, to] = call.positionals;
  if (to === undefined)
    throw new UsageError('"model convert" takes two files.', 'bordereau model convert model.txt model.json');
  const saved = await readModel(from);
  if (saved.kind !== 'glm') ensureModelName(to, saved.kind);
  if (saved.kind === 'network') return convertNetwork(call, from, to, saved);
  for (const option of ['to', 'representative']) {
    if (call.text(option) !== undefined)
      throw new UsageError(`--${option} is for .tflite files, which ${from} is not.`);
  }
  if (saved.kind === 'glm') throw new UsageError(`${from} is a GLM: it has no trees to convert.`);
  const { model, format } = saved;
  await writeTreeModel(to, model);
  call.output.print(resolve(to));
  call.output.document({
    from: resolve(from),
    format,
    to: resolve(to),
    trees: model.trees.length,
  });
}
