import type { Json } from '../../data/json.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign } from '../../ml/encoders/design.ts';
import type { GlmFamily } from '../../ml/glm/family.ts';
import { type Glm, fitGlm, predictGlm } from '../../ml/glm/glm.ts';
import { type Matrix, takeRows } from '../../ml/matrix.ts';
import { trainBoosting } from '../../ml/trees/boosting.ts';
import { trainForest } from '../../ml/trees/forest.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import type { Boosting } from '../../ml/trees/parameters.ts';
import { predict } from '../../ml/trees/predictor.ts';
import { UsageError } from '../command.ts';
import type { TableColumn } from '../table-columns.ts';
import { cellsOf } from '../table-file.ts';
import type { ModelKind } from './parameters.ts';

export type Objective = Boosting['objective'];

/** What there is to learn from: one entry per row of the features. */
export type Lesson = { target: Float64Array; weight: Float64Array | undefined };

/** Learns from some rows and predicts others; row numbers are those of the lesson. */
export type Learner<Model> = {
  /** `watched` are the rows that early stopping looks at. */
  fit(rows: Uint32Array, watched?: Uint32Array): Model;
  predict(model: Model, rows: Uint32Array): Float64Array;
};

/** Trees on one matrix, which all folds share: codes and bins know nothing of the label. */
export function treeLearner(
  kind: Exclude<ModelKind, 'glm'>,
  objective: Objective,
  parameters: Record<string, unknown>,
  { matrix, categories }: { matrix: Matrix; categories: Json[][] },
  { target, weight }: Lesson,
): Learner<TreeModel> {
  const part = (rows: Uint32Array) => ({
    data: takeRows(matrix, rows),
    target: Float64Array.from(rows, (row) => target[row]),
    ...(weight && { weight: Float64Array.from(rows, (row) => weight[row]) }),
  });
  return {
    fit(rows, watched) {
      const { data, target, ...weighted } = part(rows);
      const options = { ...weighted, ...(categories.length > 0 && { categories }) };
      if (kind === 'random-forest') return trainForest(data, target, parameters, options);
      const validation = watched && { validation: part(watched) };
      return trainBoosting(data, target, { ...parameters, objective }, { ...options, ...validation });
    },
    predict: (model, rows) => predict(model, takeRows(matrix, rows)),
  };
}

export type FittedGlm = { design: Design; glm: Glm };

/** A GLM: numbers imputed by their median with an indicator of what was missing, categories one-hot beside a base level. */
export function glmLearner(
  family: GlmFamily,
  columns: readonly TableColumn[],
  categorical: readonly string[],
  { target, weight }: Lesson,
): Learner<FittedGlm> {
  const all = glmColumns(columns, categorical);
  const take = (rows: Uint32Array): Columns =>
    Object.fromEntries(Object.entries(all).map(([name, cells]) => [name, Array.from(rows, (row) => cells[row])]));
  return {
    fit(rows) {
      const own = take(rows);
      const design = fitDesign(own, glmSpec(own));
      const label = Float64Array.from(rows, (row) => target[row]);
      const weights = weight && Float64Array.from(rows, (row) => weight[row]);
      return { design, glm: fitGlm(applyDesign(design, own), label, { family, ...(weights && { weight: weights }) }) };
    },
    predict: ({ design, glm }, rows) => predictGlm(glm, applyDesign(design, take(rows))),
  };
}

/** The family with the likelihood of an objective. Throws `UsageError` for the objectives without one. */
export function glmFamily(objective: Objective, tweediePower = 1.5): GlmFamily {
  if (objective === 'tweedie') return { tweedie: tweediePower };
  const families = { squared_error: 'normal', binary: 'binomial', poisson: 'poisson', gamma: 'gamma' } as const;
  if (objective in families) return families[objective as keyof typeof families];
  throw new UsageError(`A GLM has no objective ${objective}: use ${Object.keys(families).join(', ')} or tweedie.`);
}

/** Columns as a GLM takes them: categories as texts, of which "missing" is one. */
export function glmColumns(columns: readonly TableColumn[], categorical: readonly string[]): Columns {
  return Object.fromEntries(
    columns.map((column) => {
      const isCategory = column.kind === 'text' || categorical.includes(column.name);
      return [
        column.name,
        isCategory ? cellsOf(column).map((cell) => (cell === null ? 'missing' : String(cell))) : column.values,
      ];
    }),
  );
}

function glmSpec(columns: Columns): DesignSpec {
  return Object.entries(columns).map(([column, cells]) => {
    const numbers = Array.from(cells).filter((cell) => typeof cell === 'number');
    if (numbers.length < cells.length) return { column, as: 'oneHot', dropFirst: true };
    return { column, as: 'number', impute: 'median', indicator: numbers.some(Number.isNaN) };
  });
}
