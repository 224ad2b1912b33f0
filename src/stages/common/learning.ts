import { type Columns } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign } from '../../ml/encoders/design.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { trainBoosting } from '../../ml/trees/boosting.ts';
import { trainForest } from '../../ml/trees/forest.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import type { BoostingParameters, ForestParameters } from '../../ml/trees/parameters.ts';
import { predict } from '../../ml/trees/predictor.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';

/** A model with the encoders it was fitted with: from the feature table's columns to predictions in the label's unit. */
export type Learnt = { design: Design; model: TreeModel };

/** The declared features in their declared order: numbers as they are, categories as codes that trees split by sets. */
export function designSpec({ features }: Declaration): DesignSpec {
  return [
    ...features.numeric.map((column) => ({ column, as: 'number' }) as const),
    ...features.categorical.map((column) => ({ column, as: 'ordinal' }) as const),
  ];
}

/** Fits encoders and model on these rows alone. */
export function learn(declaration: Declaration, candidate: Candidate, columns: Columns, label: Float64Array): Learnt {
  const design = fitDesign(columns, designSpec(declaration));
  const matrix = applyDesign(design, columns);
  const options = { categories: categoriesOf(design) };
  const model =
    candidate.kind === 'random-forest'
      ? trainForest(matrix, label, candidate.parameters as ForestParameters, options)
      : trainBoosting(matrix, label, candidate.parameters as BoostingParameters, options);
  return { design, model };
}

export function predictRows({ design, model }: Learnt, columns: Columns): Float64Array {
  return predict(model, applyDesign(design, columns));
}

export function matrixOf({ design }: Learnt, columns: Columns): Matrix {
  return applyDesign(design, columns);
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
