import { resolve } from 'node:path';
import { say } from '../../governance/text.ts';
import { writeGlmDocument } from '../../ml/glm/glm-document.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import { oneOf, required } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { printEvaluation } from '../evaluation-view.ts';
import { writeGiven } from '../files.ts';
import { readTable } from '../table-file.ts';
import { featureName, trainingFeatures } from './features.ts';
import { type Judgement, judgeAndFit } from './judge.ts';
import { glmFamily, glmLearner, treeLearner } from './learners.ts';
import { ensureModelName, writeTreeModel } from './model-file.ts';
import { givenParameters, modelKinds } from './parameters.ts';
import { seedOf, taskOf } from './task.ts';

/** `model fit`: learns from a table, says how well by rows that the model has not seen, and writes the model. */
export async function fit(call: Call): Promise<void> {
  const out = call.positionals[1] ?? required(call, 'out', 'where the model is written, model.txt or model.json');
  const kind = oneOf(call, 'kind', modelKinds) ?? 'gradient-boosting';
  ensureModelName(out, kind === 'glm' ? 'glm' : 'trees');
  const table = await readTable(required(call, 'data', 'a CSV or Parquet file'));
  const task = taskOf(call, table);
  const names = task.columns.map(({ name }) => featureName(name));
  const parameters = givenParameters(call, kind, names);
  const { output } = call;
  output.note(
    `${kind}, ${task.objective}, ${say(task.rows.length)} rows, ${task.columns.length} features` +
      `${call.text('objective') === undefined ? '; --objective chooses another' : ''}.`,
  );
  if (task.exposure) output.note('The model predicts per unit of exposure; predict --exposure gives totals.');

  let judged: Judgement;
  let document: object;
  if (kind === 'glm') {
    const family = glmFamily(task.objective, parameters['tweediePower'] as number | undefined);
    const learner = glmLearner(family, task.columns, task.categorical, task.lesson);
    const fitted = judgeAndFit(call, task, parameters, learner);
    await writeGiven(out, Buffer.from(writeGlmDocument(fitted.model.design, fitted.model.glm)));
    judged = fitted.judged;
    document = { features: fitted.model.glm.names, terms: fitted.model.glm.terms };
  } else {
    if (kind === 'random-forest' && task.objective !== 'squared_error' && task.objective !== 'binary') {
      throw new UsageError(`A random forest has no objective ${task.objective}: use squared_error or binary.`);
    }
    const features = trainingFeatures(task.columns, task.categorical);
    const complete = { ...parameters, seed: seedOf(call) };
    const learner = treeLearner(kind, task.objective, complete, features, task.lesson);
    const fitted = judgeAndFit(call, task, parameters, learner);
    await writeTreeModel(out, fitted.model);
    warnOfLevels(call, out, fitted.model);
    judged = fitted.judged;
    document = {
      features: fitted.model.featureNames,
      trees: fitted.model.trees.length,
      parameters: fitted.model.parameters,
    };
  }

  output.print(judged.by);
  printEvaluation(output, judged.evaluation);
  output.print();
  output.print(resolve(out));
  output.document({
    model: resolve(out),
    kind,
    objective: task.objective,
    rows: task.rows.length,
    leftOutRows: table.rows - task.rows.length,
    ...document,
    judgedBy: judged.by,
    evaluation: judged.evaluation,
  });
}

function warnOfLevels(call: Call, out: string, { categorical, featureNames }: TreeModel): void {
  if (categorical.length === 0 || !out.endsWith('.json')) return;
  const names = categorical.map((feature) => featureNames[feature]).join(', ');
  call.output.note(
    `XGBoost JSON keeps the codes of ${names}, not the texts behind them: write .txt to score texts again.`,
  );
}
