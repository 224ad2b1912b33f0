import { resolve } from 'node:path';
import { say } from '../../governance/text.ts';
import { writeGlmDocument } from '../../ml/glm/glm-document.ts';
import type { DevianceFamily } from '../../ml/metrics/deviance.ts';
import {
  type Evaluation,
  type EvaluationOptions,
  type LabelKind,
  evaluatePredictions,
  withoutRoundingError,
} from '../../ml/suite/evaluate.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import { boostingParameters } from '../../ml/trees/parameters.ts';
import { crossValidate } from '../../ml/tune/cross-validate.ts';
import { kFold, stratifiedKFold } from '../../ml/tune/folds.ts';
import { holdout } from '../../ml/tune/holdout.ts';
import { list, oneOf, required, share, whole } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { printEvaluation } from '../evaluation-view.ts';
import { writeGiven } from '../files.ts';
import { weightsOf } from '../judged-rows.ts';
import type { TableColumn } from '../table-columns.ts';
import { type TableFile, columnOf, labelOf, readTable } from '../table-file.ts';
import { featureName, trainingFeatures } from './features.ts';
import { type Learner, type Objective, glmFamily, glmLearner, treeLearner } from './learners.ts';
import { ensureModelName, writeTreeModel } from './model-file.ts';
import { givenParameters, modelKinds } from './parameters.ts';

export const objectives = boostingParameters.shape.objective.unwrap().options;

/** `model fit`: learns from a table, says how well by rows that the model has not seen, and writes the model. */
export async function fit(call: Call): Promise<void> {
  const out = call.positionals[1] ?? required(call, 'out', 'where the model is written, model.txt or model.json');
  const kind = oneOf(call, 'kind', modelKinds) ?? 'gradient-boosting';
  ensureModelName(out, kind === 'glm' ? 'glm' : 'trees');
  const table = await readTable(required(call, 'data', 'a CSV or Parquet file'));
  const task = taskOf(call, table);
  const parameters = givenParameters(
    call,
    kind,
    task.columns.map(({ name }) => featureName(name)),
  );
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
    const fitted = judgeAndFit(call, task, parameters, glmLearner(family, task.columns, task.categorical, task.lesson));
    await writeGiven(out, Buffer.from(writeGlmDocument(fitted.model.design, fitted.model.glm)));
    judged = fitted.judged;
    document = { features: fitted.model.glm.names, terms: fitted.model.glm.terms };
  } else {
    if (kind === 'random-forest' && task.objective !== 'squared_error' && task.objective !== 'binary') {
      throw new UsageError(`A random forest has no objective ${task.objective}: use squared_error or binary.`);
    }
    const features = trainingFeatures(task.columns, task.categorical);
    const complete = { ...parameters, seed: seedOf(call) };
    const fitted = judgeAndFit(
      call,
      task,
      parameters,
      treeLearner(kind, task.objective, complete, features, task.lesson),
    );
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

type Task = {
  objective: Objective;
  columns: TableColumn[];
  categorical: string[];
  /** Rows of the table that have a label; everything below has one entry per such row. */
  rows: Uint32Array;
  totals: Float64Array;
  weight: Float64Array | undefined;
  exposure: Float64Array | undefined;
  /** What is learnt: with exposure a rate, weighted by exposure. */
  lesson: { target: Float64Array; weight: Float64Array | undefined };
};

/** What the command line asks to be learnt from the table. Rows without a label are left out. */
function taskOf(call: Call, table: TableFile): Task {
  const label = required(call, 'label', 'the column to predict');
  const labels = labelOf(table, label, call.text('positive'));
  const rows = Uint32Array.from(labels.keys()).filter((row) => Number.isFinite(labels[row]));
  if (rows.length === 0) throw new UsageError(`No row of ${table.file} has a label.`);
  if (rows.length < table.rows)
    call.output.note(`${table.rows - rows.length} of ${table.rows} rows have no label and are left out.`);
  const totals = Float64Array.from(rows, (row) => labels[row]);
  const isBinary = totals.every((value) => value === 0 || value === 1);
  const exposureName = call.text('exposure');
  const weightName = call.text('weights');
  const objective =
    oneOf(call, 'objective', objectives) ?? (isBinary && exposureName === undefined ? 'binary' : 'squared_error');
  if (objective === 'binary' && !isBinary)
    throw new UsageError(`The label ${label} is not 0 or 1 in every row, as the objective binary asks.`);
  if (objective === 'binary' && exposureName !== undefined)
    throw new UsageError('A class has no exposure: use --weights.');

  const exposure = exposureName === undefined ? undefined : weightsOf(table, exposureName, rows, 'exposure');
  const weight = weightName === undefined ? undefined : weightsOf(table, weightName, rows, 'weight');
  const target = exposure ? totals.map((total, i) => total / exposure[i]) : totals;
  const both = exposure && weight ? weight.map((w, i) => w * exposure[i]) : (exposure ?? weight);
  const categorical = list(call, 'categorical') ?? [];
  const columns = featureColumns(call, table, [label, exposureName, weightName], rows);
  const unknown = categorical.find((name) => !columns.some((column) => column.name === name));
  if (unknown !== undefined) throw new UsageError(`--categorical names ${unknown}, which is none of the features.`);
  return { objective, columns, categorical, rows, totals, weight, exposure, lesson: { target, weight: both } };
}

/** The columns to learn from: those named, or all but the label's company and those excluded. */
function featureColumns(
  call: Call,
  table: TableFile,
  reserved: readonly (string | undefined)[],
  rows: Uint32Array,
): TableColumn[] {
  const asked = list(call, 'features');
  const excluded = list(call, 'exclude') ?? [];
  for (const name of excluded) columnOf(table, name);
  const leaking = asked?.find((name) => reserved.includes(name));
  if (leaking !== undefined)
    throw new UsageError(`The column ${leaking} cannot be a feature: it is label, exposure or weight.`);
  const columns = asked
    ? asked.map((name) => columnOf(table, name))
    : table.columns.filter(({ name }) => !reserved.includes(name) && !excluded.includes(name));
  if (columns.length === 0) throw new UsageError(`${table.file} has no column left to learn from.`);
  if (rows.length === table.rows) return columns;
  return columns.map((column) =>
    column.kind === 'text'
      ? { ...column, values: Array.from(rows, (row) => column.values[row]) }
      : { ...column, values: Float64Array.from(rows, (row) => column.values[row]) },
  );
}

type Judgement = { by: string; evaluation: Evaluation };

/**
 * With `--validation-share` one model is fitted, judged on the rows kept back, and is the one that is written; early stopping looks
 * at rows of its own, so that the judgement stays honest. Without it folds are judged, and the model learns from all rows.
 */
function judgeAndFit<Model>(
  call: Call,
  task: Task,
  parameters: Record<string, unknown>,
  learner: Learner<Model>,
): { model: Model; judged: Judgement } {
  const { totals, objective } = task;
  const rows = totals.length;
  const seed = seedOf(call);
  const kept = share(call, 'validation-share');
  const folds = whole(call, 'folds', 2);
  const stopsEarly = Number(parameters['earlyStoppingRounds'] ?? 0) > 0;
  if (kept !== undefined && folds !== undefined)
    throw new UsageError('--folds and --validation-share exclude each other.');
  if (kept === undefined && stopsEarly)
    throw new UsageError('--early-stopping-rounds needs --validation-share: rows to look at.');

  const stratify = objective === 'binary' ? { stratify: totals } : {};
  if (kept !== undefined) {
    const parts = holdout(rows, { test: kept, ...(stopsEarly && { validation: kept }), seed, ...stratify });
    if (parts.test.length === 0 || parts.train.length === 0)
      throw new UsageError(`--validation-share ${kept} of ${rows} rows leaves a part empty.`);
    const model = learner.fit(parts.train, stopsEarly ? parts.validation : undefined);
    const evaluation = evaluate(call, task, parts.test, learner.predict(model, parts.test), parameters);
    return {
      model,
      judged: { by: `Judged on ${say(parts.test.length)} rows that the model has not seen:`, evaluation },
    };
  }

  const count = folds ?? 5;
  const splits =
    objective === 'binary' ? stratifiedKFold(totals, { folds: count, seed }) : kFold(rows, { folds: count, seed });
  const { outOfFold } = crossValidate({
    splits,
    actual: totals,
    metrics: {},
    fit: (rows) => learner.fit(rows),
    predict: (model, rows) => learner.predict(model, rows),
  });
  const everyRow = Uint32Array.from(totals.keys());
  const evaluation = evaluate(call, task, everyRow, outOfFold, parameters);
  return {
    model: learner.fit(everyRow),
    judged: { by: `Judged by ${count}-fold cross-validation, the model itself has learnt from all rows:`, evaluation },
  };
}

/** `predicted` are the learner's: rates where there is exposure. */
function evaluate(
  call: Call,
  { objective, totals, exposure, weight }: Task,
  rows: Uint32Array,
  predicted: Float64Array,
  parameters: Record<string, unknown>,
): Evaluation {
  const take = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]);
  const own = exposure && take(exposure);
  const actual = take(totals);
  const family = familyOf(objective, parameters);
  const options: EvaluationOptions = {
    kind: labelKind(objective, actual),
    seed: seedOf(call),
    resamples: whole(call, 'resamples', 1) ?? 1000,
    ...(family && { family }),
    ...(objective === 'quantile' && { quantile: Number(parameters['alpha'] ?? 0.9) }),
  };
  return evaluatePredictions(
    {
      actual,
      predicted: own ? predicted.map((rate, i) => rate * own[i]) : withoutRoundingError(actual, predicted),
      ...(weight && { weight: take(weight) }),
      ...(own && { exposure: own }),
    },
    options,
  );
}

function labelKind(objective: Objective, actual: Float64Array): LabelKind {
  if (objective === 'binary') return 'classification';
  return objective === 'poisson' && actual.every(Number.isInteger) ? 'count' : 'regression';
}

/** The deviance that the objective minimises; the others have none of an insurance family. */
function familyOf(objective: Objective, { tweediePower = 1.5 }: { tweediePower?: number }): DevianceFamily | undefined {
  if (objective === 'poisson' || objective === 'gamma') return objective;
  return objective === 'tweedie' ? { tweedie: tweediePower } : undefined;
}

function warnOfLevels(call: Call, out: string, { categorical, featureNames }: TreeModel): void {
  if (categorical.length === 0 || !out.endsWith('.json')) return;
  const names = categorical.map((feature) => featureNames[feature]).join(', ');
  call.output.note(
    `XGBoost JSON keeps the codes of ${names}, not the texts behind them: write .txt to score texts again.`,
  );
}

const seedOf = (call: Call) => call.text('seed') ?? '1';
