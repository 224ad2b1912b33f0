import { type Call, type Command, UsageError, exitCodes } from './command.ts';
import { convert } from './model/convert.ts';
import { explain } from './model/explain.ts';
import { fit } from './model/fit.ts';
import { info } from './model/info.ts';
import { modelKinds, parameterOptions } from './model/parameters.ts';
import { predict } from './model/predict.ts';
import { objectives } from './model/task.ts';
import { precisions } from '../ml/formats/tflite/model.ts';

const fitOptions: Command['options'] = {
  label: { type: 'string', value: 'COLUMN', help: 'fit: what to predict; with --exposure a total over it' },
  positive: { type: 'string', value: 'TEXT', help: 'fit: which text of a label of texts counts as 1' },
  kind: { type: 'string', value: 'KIND', help: `fit: ${modelKinds.join(', ')} (default gradient-boosting)` },
  objective: { type: 'string', value: 'NAME', help: `fit: ${objectives.join(', ')} (default: as the label suggests)` },
  weights: { type: 'string', value: 'COLUMN', help: 'fit: weight of each row' },
  exposure: { type: 'string', value: 'COLUMN', help: 'fit: learn rates, weighted by it; predict: give totals over it' },
  categorical: { type: 'string', value: 'COLUMNS', help: 'fit: numbers that are categories; texts always are' },
  features: { type: 'string', value: 'COLUMNS', help: 'fit: learn from these (default: from all others)' },
  exclude: { type: 'string', value: 'COLUMNS', help: 'fit: do not learn from these' },
  'validation-share': {
    type: 'string',
    value: 'SHARE',
    help: 'fit: keep rows back and judge on them, instead of folds',
  },
  folds: { type: 'string', value: 'N', help: 'fit: folds of the cross-validation (default 5)' },
  resamples: { type: 'string', value: 'N', help: 'fit: of the bootstrap behind the intervals (default 1000)' },
  seed: { type: 'string', value: 'N', help: 'fit: of splits, sampling and bootstrap (default 1)' },
};

const scoringOptions: Command['options'] = {
  'by-position': {
    type: 'boolean',
    default: false,
    help: 'predict, explain, convert: take the columns in their order, not by name',
  },
};

const otherOptions: Command['options'] = {
  data: { type: 'string', value: 'FILE', help: 'fit, predict, explain: CSV or Parquet' },
  out: { type: 'string', value: 'FILE', help: 'predict, explain: write .csv or .parquet; fit: the model' },
  column: { type: 'string', value: 'NAME', help: 'predict: what the new column is called (default prediction)' },
  raw: { type: 'boolean', default: false, help: 'predict: scores on the link scale' },
  background: { type: 'string', value: 'FILE', help: 'explain: compare with these rows (interventional SHAP)' },
  interactions: { type: 'boolean', default: false, help: 'explain: what each pair of features does together' },
  'per-row': { type: 'boolean', default: false, help: 'explain: the strongest features of every row' },
  top: { type: 'string', value: 'N', help: 'explain, info: so many features' },
  to: { type: 'string', value: 'PRECISION', help: `convert, .tflite: ${precisions.join(', ')}` },
  representative: { type: 'string', value: 'FILE', help: 'convert --to int8: rows that show how large values get' },
};

/** What each verb takes after its name, and which options. */
const verbs: Record<
  string,
  { files: [number, number]; run: (call: Call) => Promise<void>; options: readonly string[] }
> = {
  fit: {
    files: [0, 1],
    run: fit,
    options: ['data', 'out', ...Object.keys(fitOptions), ...Object.keys(parameterOptions)],
  },
  predict: {
    files: [1, 1],
    run: predict,
    options: ['data', 'out', 'column', 'raw', 'exposure', ...Object.keys(scoringOptions)],
  },
  explain: {
    files: [1, 1],
    run: explain,
    options: ['data', 'out', 'background', 'interactions', 'per-row', 'top', ...Object.keys(scoringOptions)],
  },
  convert: { files: [2, 2], run: convert, options: ['to', 'representative', ...Object.keys(scoringOptions)] },
  info: { files: [1, 1], run: info, options: ['top'] },
};

export const command: Command = {
  summary: 'Fits, scores, explains and converts models on any table: ours, LightGBM’s, XGBoost’s, TensorFlow Lite’s.',
  usage: 'fit|predict|explain|convert|info MODEL [--data FILE] [options]',
  examples: [
    [
      'bordereau model fit cost.txt --data policies.csv --label charges',
      'boosted trees as LightGBM text, cross-validated',
    ],
    [
      'bordereau model fit freq.txt --data claims.parquet --label claims --exposure years --objective poisson --num-leaves 15',
      'claim frequency with the actuary’s figures',
    ],
    [
      'bordereau model fit glm.json --data policies.csv --label charges --kind glm --objective gamma',
      'the GLM to compare with',
    ],
    [
      'bordereau model predict cost.txt --data new.csv --out scored.csv',
      'any LightGBM, XGBoost or .tflite file; features by name',
    ],
    ['bordereau model explain cost.txt --data new.csv --per-row --top 3', 'what moved each row’s score most'],
    [
      'bordereau model explain cost.txt --data new.csv --background book.csv',
      'what sets these rows apart from the book',
    ],
    ['bordereau model convert cost.txt cost.json', 'LightGBM text to XGBoost JSON, or back'],
    [
      'bordereau model convert net.tflite net-int8.tflite --to int8 --representative train.csv',
      'a network in integers, and what that changes',
    ],
    ['bordereau model info cost.txt', 'trees, objective, importance, categories, missing values'],
  ],
  options: { ...otherOptions, ...fitOptions, ...scoringOptions, ...parameterOptions },
  positionals: { min: 1, max: 3 },
  async run(call) {
    const [name, ...files] = call.positionals;
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (!verb)
      throw new UsageError(`"model" knows ${Object.keys(verbs).join(', ')}, not "${name}".`, 'bordereau model --help');
    const [least, most] = verb.files;
    if (files.length < least || files.length > most) {
      throw new UsageError(
        `"model ${name}" takes ${most} file${most > 1 ? 's' : ''} after its name, ${files.length} given.`,
        'bordereau model --help',
      );
    }
    const foreign = Object.keys(command.options).find(
      (option) => isGiven(call, option) && !verb.options.includes(option),
    );
    if (foreign !== undefined)
      throw new UsageError(`"model ${name}" has no option --${foreign}.`, 'bordereau model --help');
    await verb.run(call);
    return exitCodes.ok;
  },
};

function isGiven(call: Call, option: string): boolean {
  return command.options[option].type === 'boolean' ? call.flag(option) : call.text(option) !== undefined;
}
