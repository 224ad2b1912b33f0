import { say } from '../governance/text.ts';
import type { Json } from '../data/json.ts';
import {
  type FairnessAssessment,
  type FairnessFinding,
  type FairnessKind,
  assessFairness,
  fairnessFindings,
} from '../ml/fairness/assess.ts';
import type { Gap } from '../ml/fairness/group-table.ts';
import { list, numeric, whole } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { cells } from './evaluation-view.ts';
import { judgedOptions, judgedRows } from './judged-rows.ts';
import type { Output } from './output.ts';
import { cellsOf, columnOf, readTable } from './table-file.ts';

/** The field's customary limits; what is acceptable is the business's to decide. */
const limits = {
  maxSelectionDifference: 0.1,
  minSelectionRatio: 0.8,
  maxOddsDifference: 0.1,
  maxGroupMeanVariation: 0.15,
} as const;

export const command: Command = {
  summary:
    'Tells how a model treats groups of people: selection, error, calibration and A/E by group, every gap with its interval.',
  usage: 'FILE --label COLUMN --prediction COLUMN --over COLUMNS',
  examples: [
    [
      'bordereau fairness scored.csv --label has_claim --prediction probability --over sex,region',
      'one table per column',
    ],
    [
      'bordereau fairness scored.csv --label charges --prediction prediction --over sex --threshold 20000',
      'amounts: what counts as selected',
    ],
    [
      `bordereau fairness census.csv --label income --prediction income --positive '>50K' --over sex`,
      'the data’s own gap, without a model',
    ],
  ],
  options: {
    ...judgedOptions,
    over: { type: 'string', value: 'COLUMNS', help: 'the sensitive columns, with commas between them' },
    threshold: {
      type: 'string',
      value: 'X',
      help: 'a prediction from which on a row is selected (default 0.5 for classes)',
    },
    'min-group': { type: 'string', value: 'N', help: 'smaller groups are named, not measured', default: '30' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const table = await readTable(call.positionals[0]);
    const over = list(call, 'over');
    if (!over) throw new UsageError('--over is missing: the sensitive columns.');
    const sensitive = over.map((feature) => ({ feature, cells: cellsOf(columnOf(table, feature)) }));
    const { rows, leftOut, actual, predicted, weight } = judgedRows(call, table);
    const kind = kindOf(actual, predicted);
    const threshold = numeric(call, 'threshold') ?? (kind === 'binary' ? 0.5 : undefined);
    if (threshold === undefined) {
      throw new UsageError(
        'The label is no class of 0 and 1: --threshold must say from which prediction on a row is selected.',
      );
    }

    const { output } = call;
    const assessments = sensitive.map(({ feature, cells }) => {
      const assessment = assessFairness(kind, threshold, {
        actual,
        predicted,
        ...(weight && { weight }),
        sensitive: { feature, values: Array.from(rows, (row) => cells[row]) },
        minGroupRows: whole(call, 'min-group', 1)!,
        resamples: whole(call, 'resamples', 1)!,
        seed: call.text('seed')!,
      });
      return { ...assessment, findings: fairnessFindings(assessment, limits) };
    });
    for (const [i, assessment] of assessments.entries()) {
      if (i > 0) output.print();
      printAssessment(output, assessment);
    }
    output.document({
      file: table.file,
      kind,
      threshold,
      leftOutRows: leftOut,
      limits,
      over: assessments,
    } as unknown as Json);
    return exitCodes.ok;
  },
};

function kindOf(actual: Float64Array, predicted: Float64Array): FairnessKind {
  const isBinary = actual.every((value) => value === 0 || value === 1) && predicted.every((p) => p >= 0 && p <= 1);
  return isBinary ? 'binary' : 'regression';
}

function printAssessment(output: Output, assessment: FairnessAssessment & { findings: FairnessFinding[] }): void {
  const { table, demographicParity, equalizedOdds, groupMeanVariation, findings } = assessment;
  const measures = Object.keys(table.overall);
  output.table(
    [table.feature, 'rows', ...measures.map(title)],
    [
      ...table.groups.map(({ group, rows, metrics }) => [
        group,
        say(rows),
        ...measures.map((name) => say(metrics[name].value)),
      ]),
      ['overall', '', ...measures.map((name) => say(table.overall[name].value))],
    ],
  );
  if (table.suppressed.length > 0) {
    output.print(`Too small to judge (under ${table.minGroupRows} rows): ${table.suppressed.join(', ')}.`);
  }
  output.print();
  const isEqual = (gap: Gap) => gap.highest === gap.lowest;
  const gaps = Object.entries(table.gaps).flatMap(([name, gap]) => {
    if (!gap || isEqual(gap)) return [];
    const between = `${gap.lowest} against ${gap.highest}`;
    return [
      [`${title(name)}: difference`, between, ...cells(gap.difference)],
      [`${title(name)}: ratio`, between, ...cells(gap.ratio)],
    ];
  });
  const equal = Object.entries(table.gaps).flatMap(([name, gap]) => (gap && isEqual(gap) ? [title(name)] : []));
  const odds = equalizedOdds ? [['equalized odds: difference', '', ...cells(equalizedOdds.difference)]] : [];
  output.table(['gap', 'lowest against highest', 'value', '95 % from', 'to'], [...gaps, ...odds]);
  if (equal.length > 0) output.print(`The same in all groups: ${equal.join(', ')}.`);
  output.print(`Variation of the groups’ mean predictions: ${say(groupMeanVariation)}.`);
  if (demographicParity) {
    output.print(
      `Demographic parity difference ${say(demographicParity.difference.value)}, disparate impact ratio ${say(demographicParity.ratio.value)}.`,
    );
  }
  for (const { limit, severity, value, allowed, isCertain } of findings) {
    const chance = isCertain === false ? ', which chance may explain' : '';
    output.print(
      `${output.style('yellow', '!')} ${severity}: ${title(limit)} is ${allowed}, found ${say(value)}${chance}.`,
    );
  }
}

/** `selectionRate` → `selection rate`. */
function title(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
