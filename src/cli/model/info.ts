import { resolve } from 'node:path';
import { say } from '../../governance/text.ts';
import type { Json } from '../../data/json.ts';
import { coefficientTable } from '../../ml/glm/glm.ts';
import type { GlmDocument } from '../../ml/glm/glm-document.ts';
import { featureImportance } from '../../ml/trees/importance.ts';
import { type TreeModel, categoricalBit, defaultLeftBit, missing } from '../../ml/trees/model.ts';
import { whole } from '../arguments.ts';
import type { Call } from '../command.ts';
import { cells } from '../evaluation-view.ts';
import { printNetwork } from './info-network.ts';
import { readModel } from './model-file.ts';

/** `model info`: what a model file holds. */
export async function info(call: Call): Promise<void> {
  const [, file] = call.positionals;
  const saved = await readModel(file);
  const top = whole(call, 'top', 1);
  call.output.print(`${resolve(file)}: ${saved.format}`);
  if (saved.kind === 'glm') printGlm(call, saved.document);
  else if (saved.kind === 'network') printNetwork(call, saved);
  else printTrees(call, saved.format, saved.model, top);
}

function printTrees({ output }: Call, format: string, model: TreeModel, top: number | undefined): void {
  const { objective, outputs, averaged, featureNames, categorical, categories, parameters, monotone } = model;
  const leaves = model.trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const splits = splitsOf(model);
  const importance = featureImportance(model).sort((a, b) => b.gain - a.gain || b.splits - a.splits);
  const levels = categorical.map((feature, k) => ({
    feature: featureNames[feature],
    levels: categories?.length === categorical.length ? categories[k] : null,
  }));

  output.table(
    ['what', 'value'],
    [
      ['objective', objective],
      ['trees', `${say(model.trees.length)}, ${averaged ? 'averaged' : 'added up'}`],
      ['leaves', say(leaves)],
      ['outputs', String(outputs)],
      ['features', String(featureNames.length)],
      ['never split on', String(importance.filter((feature) => feature.splits === 0).length)],
      ['splits', `${say(splits.numeric)} numeric, ${say(splits.categorical)} categorical`],
      [
        'missing values',
        `NaN has a direction in ${say(splits.nan)} splits (left in ${say(splits.defaultLeft)}), zero counts as missing in ${say(splits.zero)}, NaN is read as 0 in ${say(splits.none)}`,
      ],
      ['categories', levels.length === 0 ? 'none' : levels.map(levelText).join('; ')],
      ['monotone', monotone === null ? 'no' : featureNames.filter((_, i) => monotone[i] !== 0).join(', ')],
    ],
  );
  output.print();
  output.table(
    ['feature', 'splits', 'gain'],
    importance.slice(0, top).map(({ feature, splits, gain }) => [feature, say(splits), say(gain)]),
  );
  output.document({
    format,
    kind: 'trees',
    objective,
    outputs,
    averaged,
    trees: model.trees.length,
    leaves,
    features: featureNames,
    categories: levels,
    monotone,
    splits,
    importance: importance.slice(0, top),
    parameters,
  } as unknown as Json);
}

function levelText({ feature, levels }: { feature: string; levels: readonly Json[] | null }): string {
  return levels === null ? `${feature} (codes only)` : `${feature} (${levels.length} levels)`;
}

/** The splits of all trees, by what they do with missing values. */
function splitsOf({ trees }: TreeModel) {
  const counts = { numeric: 0, categorical: 0, nan: 0, zero: 0, none: 0, defaultLeft: 0 };
  for (const { decision } of trees) {
    for (const bits of decision) {
      counts[(bits & categoricalBit) === 0 ? 'numeric' : 'categorical']++;
      const kind = bits & missing.mask;
      counts[kind === missing.nan ? 'nan' : kind === missing.zero ? 'zero' : 'none']++;
      if (kind === missing.nan && (bits & defaultLeftBit) !== 0) counts.defaultLeft++;
    }
  }
  return counts;
}

function printGlm({ output }: Call, { glm }: GlmDocument): void {
  const { family, deviance, nullDeviance, dispersion, degreesOfFreedom } = glm;
  const rows = coefficientTable(glm);
  output.print(
    `${typeof family === 'string' ? family : `Tweedie ${family.tweedie}`}: deviance ${say(deviance)} of ${say(nullDeviance)}, ` +
      `dispersion ${say(dispersion)}, ${say(degreesOfFreedom)} degrees of freedom.`,
  );
  output.print();
  output.table(
    ['term', 'coefficient', 'standard error', 'p', 'exp(coefficient)', '95 % from', 'to'],
    rows.map(({ name, coefficient, standardError, pValue, relativity }) => [
      name,
      say(coefficient),
      say(standardError),
      pValue < 0.0001 ? '< 0.0001' : say(pValue),
      ...cells(relativity),
    ]),
  );
  output.document({ format: 'Bordereau GLM', ...glm, coefficients: rows });
}
