import { type Columns } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign } from '../../ml/encoders/design.ts';
import { glmContributions } from '../../ml/glm/contributions.ts';
import { type Glm, predictGlm } from '../../ml/glm/glm.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { treeShap } from '../../ml/shap/tree-shap.ts';
import { trainBoosting } from '../../ml/trees/boosting.ts';
import { trainForest } from '../../ml/trees/forest.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import { predict } from '../../ml/trees/predictor.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { glmMatrix, learnGlm } from './glm-learning.ts';

/** A model with the encoders it was fitted with: from the feature table's columns to predictions in the label's unit. */
export type Learnt = { design: Design; model: TreeModel | Glm };

/** The declared features in their declared order: numbers as they are, categories as codes that trees split by sets. */
export function designSpec({ features }: Declaration): DesignSpec {
  return [
    ...features.numeric.map((column) => ({ column, as: 'number' }) as const),
    ...features.categorical.map((column) => ({ column, as: 'ordinal' }) as const),
  ];
}

/** Fits encoders and model on these rows alone. */
export function learn(declaration: Declaration, candidate: Candidate, columns: Columns, label: Float64Array): Learnt {
  if (candidate.kind === 'glm') return learnGlm(declaration, candidate.parameters, columns, label);
  const design = fitDesign(columns, designSpec(declaration));
  const matrix = applyDesign(design, columns);
  const options = { categories: categoriesOf(design) };
  const model =
    candidate.kind === 'random-forest'
      ? trainForest(matrix, label, candidate.parameters, options)
      : trainBoosting(matrix, label, candidate.parameters, options);
  return { design, model };
}

export function predictRows(learnt: Learnt, columns: Columns): Float64Array {
  const matrix = matrixOf(learnt, columns);
  return isGlm(learnt.model) ? predictGlm(learnt.model, matrix) : predict(learnt.model, matrix);
}

/** The features as the model takes them. */
export function matrixOf({ design, model }: Learnt, columns: Columns): Matrix {
  return isGlm(model) ? glmMatrix(design, columns) : applyDesign(design, columns);
}

/** The columns of the feature table that the model reads. */
export function columnsRead({ design }: Learnt): string[] {
  return design.features.map(({ column }) => column);
}

/** Rows as people read them, one feature per column, with the encoders behind them; `shap` as in `treeShap`. */
export type ExplainedRows = { design: Design; matrix: Matrix; shap: Float64Array };

/** What each column adds to the prediction of each row. */
export function explainRows(declaration: Declaration, learnt: Learnt, columns: Columns): ExplainedRows {
  const { design, model } = learnt;
  const matrix = matrixOf(learnt, columns);
  if (!isGlm(model)) return { design, matrix, shap: treeShap(model, matrix).values };
  // a GLM has a feature for each level: shown is the column
  const shown = fitDesign(columns, designSpec(declaration));
  return { design: shown, matrix: applyDesign(shown, columns), shap: glmContributions(model, design, matrix) };
}

export function isGlm(model: TreeModel | Glm): model is Glm {
  return 'terms' in model;
}

/** The rows named, of every column. */
export function takeColumns(columns: Columns, rows: ArrayLike<number>): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, cells]) => [name, Array.from(rows, (row) => cells[row])]),
  );
}

/** The levels behind the codes, for the model's own file. */
function categoriesOf(design: Design): string[][] {
  return design.features.flatMap((feature) =>
    feature.as === 'ordinal' && feature.categorical ? [feature.encoder.levels] : [],
  );
}
