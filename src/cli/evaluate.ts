import { type LabelKind, evaluatePredictions, kindOf } from '../ml/suite/evaluate.ts';
import { list, oneOf, share, whole } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { printEvaluation } from './evaluation-view.ts';
import { familyOf, groupsOfColumn, judgedOptions, judgedRows } from './judged-rows.ts';
import { readTable } from './table-file.ts';

const kinds = ['auto', 'regression', 'classification', 'count'] as const;

export const command: Command = {
  summary: 'Judges predictions in any table: metrics with intervals, beside the best constant; A/E and lift for rates.',
  usage: 'FILE --label COLUMN --prediction COLUMN [--exposure COLUMN]',
  examples: [
    [
      'bordereau evaluate scored.csv --label charges --prediction prediction',
      'R², errors and bias, each with its interval',
    ],
    [
      'bordereau evaluate scored.csv --label has_claim --prediction probability --threshold 0.3',
      'ROC and PR AUC, calibration, decisions',
    ],
    [
      'bordereau evaluate freq.parquet --label claims --prediction expected_claims --exposure years --by region',
      'Gini, deviance, A/E by tenth of the prediction and by region',
    ],
  ],
  options: {
    ...judgedOptions,
    exposure: {
      type: 'string',
      value: 'COLUMN',
      help: 'label and prediction are totals over it; figures are per unit of it',
    },
    kind: { type: 'string', value: 'KIND', help: `of label: ${kinds.join(', ')}`, default: 'auto' },
    threshold: {
      type: 'string',
      value: 'P',
      help: 'a probability from which on a row is called positive',
      default: '0.5',
    },
    quantile: { type: 'string', value: 'SHARE', help: 'the predictions are this quantile of the label, not its mean' },
    family: {
      type: 'string',
      value: 'NAME',
      help: 'of deviance: poisson, gamma, tweedie:1.5 (default: as the label suggests)',
    },
    by: { type: 'string', value: 'COLUMNS', help: 'A/E by the values of these columns, with commas between them' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const table = await readTable(call.positionals[0]);
    const { rows, leftOut, ...judged } = judgedRows(call, table);
    const given = oneOf(call, 'kind', kinds)!;
    const kind = given === 'auto' ? kindOf(judged) : given;
    ensureKind(kind, judged, call.text('label')!);
    const by = list(call, 'by') ?? [];
    const family = familyOf(call);
    const quantile = share(call, 'quantile');
    if (quantile !== undefined && (kind !== 'regression' || family)) {
      throw new UsageError('--quantile is for labels of any number, without --family: --kind regression.');
    }
    const evaluation = evaluatePredictions(judged, {
      kind,
      seed: call.text('seed')!,
      resamples: whole(call, 'resamples', 1)!,
      threshold: share(call, 'threshold')!,
      groups: Object.fromEntries(by.map((name) => [name, groupsOfColumn(table, name, rows)])),
      ...(family && { family }),
      ...(quantile !== undefined && { quantile }),
    });
    const { output } = call;
    output.note(`${evaluation.rows} rows judged as ${kind}${given === 'auto' ? '; --kind says otherwise' : ''}.`);
    if (!evaluation.actuarial) sayWhyNot(by, judged.exposure !== undefined || kind === 'count');
    printEvaluation(output, evaluation);
    output.document({ file: table.file, leftOutRows: leftOut, ...evaluation });
    return exitCodes.ok;

    function sayWhyNot(by: readonly string[], wasAsked: boolean): void {
      if (by.length > 0 && !wasAsked)
        throw new UsageError('--by tells A/E: it needs --exposure, --family or --kind count.');
      if (wasAsked) output.note('No deviance, A/E or lift: they need labels of at least 0 and predictions above 0.');
    }
  },
};

function ensureKind(
  kind: LabelKind,
  { actual, predicted }: { actual: Float64Array; predicted: Float64Array },
  label: string,
): void {
  if (kind === 'classification') {
    if (actual.some((value) => value !== 0 && value !== 1)) {
      throw new UsageError(
        `The label ${label} is not 0 or 1 in every row: it is no class. Leave out --kind, or give --positive.`,
      );
    }
    if (predicted.some((value) => !(value >= 0 && value <= 1))) {
      throw new UsageError('The predictions are no probabilities: some lie outside 0 to 1.');
    }
  }
  if (kind === 'count' && actual.some((value) => !(value >= 0 && Number.isInteger(value)))) {
    throw new UsageError(`The label ${label} is not a whole number of at least 0 in every row: it is no count.`);
  }
}
