import { type Calibrator, applyCalibrator, fitCalibrator } from '../../ml/calibration/calibrator.ts';
import { type DenseParameters, checkDenseParameters } from '../../ml/dense/parameters.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign } from '../../ml/encoders/design.ts';
import type { TfliteModel } from '../../ml/formats/tflite/model.ts';
import { predictTflite } from '../../ml/formats/tflite/predictor.ts';
import { glmContributions } from '../../ml/glm/contributions.ts';
import { type Glm, predictGlm } from '../../ml/glm/glm.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { treeShap } from '../../ml/shap/tree-shap.ts';
import { trainBoosting, trainingBins } from '../../ml/trees/boosting.ts';
import { trainForest } from '../../ml/trees/forest.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import { type BoostingParameters, type ForestParameters } from '../../ml/trees/parameters.ts';
import { predict } from '../../ml/trees/predictor.ts';
import { holdout } from '../../ml/tune/holdout.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { Candidate } from '../../stages.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { taskOf } from '../../usecase/label.ts';
import { everyView, viewed } from '../../usecase/views.ts';
import { denseContributions, learnDense } from './dense-learning.ts';
import { type RowSet, takeRowSet } from './frozen-sets.ts';
import { glmMatrix, learnGlm } from './glm-learning.ts';
import { type Remember, forgetful } from './remember.ts';

/**
 * A model with the encoders it was fitted with: from the feature table's columns to predictions in the label's unit. Of an
 * event the predictions are probabilities, calibrated where there is a calibrator.
 */
export type Learnt = {
  design: Design;
  model: TreeModel | Glm | TfliteModel;
  /** Of a quantised network the one in float that it was made from; known in training only. */
  float?: TfliteModel;
  calibrator?: Calibrator;
};

/** What training needs besides its rows; `remember` knows what was made of the same rows for other candidates. */
export type TrainingPorts = Pick<Ports, 'backends' | 'trainingThread'> & { remember?: Remember };

/** The declared features in their declared order: numbers as they are, categories as codes that trees split by sets. */
export function designSpec({ features }: Declaration): DesignSpec {
  return [
    ...features.numeric.map((column) => ({ column, as: 'number' }) as const),
    ...features.categorical.map((column) => ({ column, as: 'ordinal' }) as const),
  ];
}

/** Fits encoders and model on these rows alone; where the model stops early, on those that are not to watch it. */
export async function learn(
  declared: Declaration,
  candidate: Candidate,
  rows: RowSet,
  { backends = {}, trainingThread, remember = forgetful }: TrainingPorts = {},
): Promise<Learnt> {
  const declaration = viewed(declared, candidate.view);
  if (candidate.kind === 'glm') return learnGlm(declaration, candidate.parameters, rows.columns, rows.label);
  if (candidate.kind === 'dense') {
    const parameters: DenseParameters = candidate.parameters;
    const stopsEarly = checkDenseParameters(parameters).earlyStoppingEpochs > 0;
    return learnDense(declaration, parameters, watchedRows(declaration, rows, stopsEarly), backends);
  }
  if (candidate.kind === 'random-forest') {
    const parameters: ForestParameters = candidate.parameters;
    const { design, trained } = remember(`rows of ${candidate.view}`, () => encodedRows(declaration, rows, false));
    const options = { categories: categoriesOf(design), ...weightOf(trained) };
    return { design, model: trainForest(trained.data, trained.target, parameters, options) };
  }
  const parameters: BoostingParameters = candidate.parameters;
  const { maxBin, minDataInBin, earlyStoppingRounds = 0 } = parameters;
  const stopsEarly = earlyStoppingRounds > 0;
  const name = `rows of ${candidate.view}${stopsEarly ? ', some of them watched' : ''}`;
  const { design, trained, watching } = remember(name, () => encodedRows(declaration, rows, stopsEarly));
  const bins = remember(`${name}, in bins by ${maxBin} and ${minDataInBin}`, () =>
    trainingBins(trained.data, watching?.data, parameters),
  );
  return {
    design,
    model: trainBoosting(trained.data, trained.target, parameters, {
      bins,
      categories: categoriesOf(design),
      ...(trainingThread && { secondThread: trainingThread }),
      ...weightOf(trained),
      ...(watching && { validation: watching }),
    }),
  };
}

type EncodedRows = { data: Matrix; target: Float64Array; weight?: Float64Array };

/** The rows as trees take them, by encoders that were fitted on all of them. */
function encodedRows(
  declaration: Declaration,
  rows: RowSet,
  stopsEarly: boolean,
): { design: Design; trained: EncodedRows; watching?: EncodedRows } {
  const design = fitDesign(rows.columns, designSpec(declaration));
  const { trained, watching } = watchedRows(declaration, rows, stopsEarly);
  const encoded = (of: RowSet) => ({ data: applyDesign(design, of.columns), target: of.label, ...weightOf(of) });
  return { design, trained: encoded(trained), ...(watching && { watching: encoded(watching) }) };
}

const weightOf = ({ weight }: { weight?: Float64Array }) => (weight ? { weight } : {});

/** The rows that early stopping watches, by a hash of the entity's key, and the others. */
function watchedRows(
  { split }: Declaration,
  rows: RowSet,
  stopsEarly: boolean,
): { trained: RowSet; watching?: RowSet } {
  if (!stopsEarly) return { trained: rows };
  const { train, validation } = holdout(rows.rows, {
    test: 0,
    validation: split.validation,
    seed: split.seed,
    keys: rows.keys,
  });
  return { trained: takeRowSet(rows, train), watching: takeRowSet(rows, validation) };
}

/** Fits the declared calibrator of an event's probabilities on rows that the model had not seen; none for amounts. */
export function calibratorOf(
  declaration: Declaration,
  label: Float64Array,
  outOfFold: Float64Array,
): Calibrator | undefined {
  const { calibration } = declaration.score;
  if (taskOf(declaration) !== 'binary' || calibration === 'none') return undefined;
  return fitCalibrator(calibration, outOfFold, label);
}

/** Rows × outputs, row-major. */
export function predictRows(
  learnt: Learnt,
  columns: Columns,
  { modelThreads: threads = 1 }: Pick<Ports, 'modelThreads'> = {},
): Float64Array {
  const { model, calibrator } = learnt;
  const matrix = matrixOf(learnt, columns);
  const predicted = isGlm(model)
    ? predictGlm(model, matrix)
    : isTflite(model)
      ? predictTflite(model, matrix)
      : predict(model, matrix, { threads });
  return calibrator ? applyCalibrator(calibrator, predicted) : predicted;
}

/** The features as the model takes them. */
export function matrixOf({ design, model }: Learnt, columns: Columns): Matrix {
  return isGlm(model) ? glmMatrix(design, columns) : applyDesign(design, columns);
}

/** The columns of the feature table that the model reads. */
export function columnsRead({ design }: Learnt): string[] {
  return design.features.map(({ column }) => column);
}

/**
 * Rows as people read them, one feature per column, with the encoders behind them. `shap` as in `treeShap`: for each row and
 * output a run of features, and the expected value.
 */
export type ExplainedRows = { design: Design; matrix: Matrix; outputs: number; shap: Float64Array };

/** What each column adds to the prediction of each row, on the scale of the raw score: log-odds for an event. */
export function explainRows(
  declaration: Declaration,
  learnt: Learnt,
  columns: Columns,
  { modelThreads: threads = 1 }: Pick<Ports, 'modelThreads'> = {},
): ExplainedRows {
  const { design, model } = learnt;
  const matrix = matrixOf(learnt, columns);
  if (isTrees(model))
    return { design, matrix, outputs: model.outputs, shap: treeShap(model, matrix, { threads }).values };
  // a GLM and a network have a feature for each level: shown is the column
  const read = new Set(columnsRead(learnt));
  const spec = designSpec(everyView(declaration)).filter(({ column }) => read.has(column));
  const shown = fitDesign(columns, spec);
  return {
    design: shown,
    matrix: applyDesign(shown, columns),
    outputs: 1,
    shap: isGlm(model)
      ? glmContributions(model, design, matrix)
      : denseContributions({ ...learnt, model }, columns).shap,
  };
}

export const isGlm = (model: Learnt['model']): model is Glm => 'terms' in model;
export const isTflite = (model: Learnt['model']): model is TfliteModel => 'operators' in model;
export const isTrees = (model: Learnt['model']): model is TreeModel => 'trees' in model;

/** The levels behind the codes, for the model's own file. */
function categoriesOf(design: Design): string[][] {
  return design.features.flatMap((feature) =>
    feature.as === 'ordinal' && feature.categorical ? [feature.encoder.levels] : [],
  );
}
