import { basename, resolve } from 'node:path';
import { say, sayShare } from '../governance/text.ts';
import { type ColumnDrift, type DriftTable, calculateDrift } from '../monitoring/drift.ts';
import { fitReference } from '../monitoring/reference.ts';
import { renderPage } from '../report/page.ts';
import { driftFacts } from '../stages/common/drift-facts.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { list, numeric, share, whole } from './arguments.ts';
import { type Command, exitCodes } from './command.ts';
import { columnsToCompare, rowsOf } from './compare-columns.ts';
import { writeGiven } from './files.ts';
import type { Output } from './output.ts';
import { type TableFile, readTable } from './table-file.ts';

export const command: Command = {
  summary:
    'Compares two files of the same kind: which columns have drifted, where to, how far, and what could have been overlooked.',
  usage: 'REFERENCE CURRENT [--columns COLUMNS] [--report FILE.html]',
  examples: [
    ['bordereau compare january.csv february.csv', 'every column that both have; exit code 5 where one has drifted'],
    [
      'bordereau compare train.parquet now.csv --columns age,bmi,region --report drift.html',
      'these columns, with a report to pass on',
    ],
    ['bordereau compare scored-jan.csv scored-feb.csv --prediction prediction --json', 'the model’s output besides'],
  ],
  options: {
    columns: {
      type: 'string',
      value: 'COLUMNS',
      help: 'which columns, with commas between them (default: those of both files)',
    },
    prediction: { type: 'string', value: 'COLUMN', help: 'the model’s output: judged by its mean too' },
    report: { type: 'string', value: 'FILE.html', help: 'write the page of charts here' },
    fdr: {
      type: 'string',
      value: 'SHARE',
      help: 'of false alarms among the alarms, over all columns',
      default: '0.05',
    },
    'psi-warn': {
      type: 'string',
      value: 'X',
      help: 'a stability index, chance taken off, from which on it matters',
      default: '0.1',
    },
    'psi-alert': { type: 'string', value: 'X', help: 'from which on it is serious', default: '0.25' },
    'min-rows': { type: 'string', value: 'N', help: 'fewer current rows are shown and not judged', default: '50' },
  },
  positionals: { min: 2, max: 2 },
  async run(call) {
    const [reference, current] = await Promise.all([readTable(call.positionals[0]), readTable(call.positionals[1])]);
    const { output } = call;
    const prediction = call.text('prediction');
    const names = columnsToCompare(reference, current, list(call, 'columns'), prediction, output);
    const policy = {
      minVolume: whole(call, 'min-rows', 1)!,
      drift: {
        psi: { warn: numeric(call, 'psi-warn')!, alert: numeric(call, 'psi-alert')! },
        falseDiscoveryRate: share(call, 'fdr')!,
        // the customary limits of the mean of a model's output, as every use case declares them
        prediction: { relative: 0.2, z: 2 },
        demographic: { columns: [], alert: 0.1 },
        composite: { columns: [], warn: 0.2, alert: 0.3 },
      },
    };
    const profile = fitReference(rowsOf(reference, current, names, prediction), {
      dataVersion: 0,
      errors: new Float64Array(0),
      importance: {},
    });
    const drift = calculateDrift(profile, rowsOf(current, reference, names, prediction), policy);
    const shown =
      prediction === undefined ? drift.columns : [{ ...drift.prediction, name: prediction }, ...drift.columns];
    const drifted = shown.filter(({ severity }) => severity !== 'NONE').map(({ name }) => name);

    printDrift(output, shown, drift, drifted);
    const report = call.text('report');
    if (report !== undefined) {
      await writeGiven(
        report,
        Buffer.from(pageOf(reference, current, drift, policy, prediction, sentence(drift, drifted))),
      );
      output.print(resolve(report));
    }
    output.document({
      reference: { file: reference.file, rows: reference.rows },
      current: { file: current.file, rows: current.rows },
      judged: drift.judged,
      limits: { falseDiscoveryRate: policy.drift.falseDiscoveryRate, psi: policy.drift.psi },
      drifted,
      columns: drift.columns,
      ...(prediction !== undefined && { prediction: { ...drift.prediction, name: prediction } }),
      report: report === undefined ? null : resolve(report),
    });
    return drifted.length > 0 ? exitCodes.driftAlert : exitCodes.ok;
  },
};

function printDrift(
  output: Output,
  columns: readonly ColumnDrift[],
  drift: DriftTable,
  drifted: readonly string[],
): void {
  output.table(
    [
      'column',
      'drift',
      'direction',
      'of',
      'was',
      'is',
      'shift',
      'detectable',
      'PSI',
      'by chance',
      'test',
      'p',
      'adjusted p',
    ],
    columns.map(({ name, severity, shift, minimumDetectableShift, psi, expectedPsi, test }) => {
      const sayShift = shift.level === null ? say : sayShare;
      return [
        name,
        severity.toLowerCase(),
        shift.direction,
        shift.level === null ? 'mean' : `share of ${shift.level}`,
        sayShift(shift.reference),
        sayShift(shift.analysis),
        sayShift(shift.difference),
        sayShift(minimumDetectableShift),
        say(psi),
        say(expectedPsi),
        test.name === 'chiSquare' ? 'χ²' : 'KS',
        sayP(test.pValue),
        sayP(test.adjustedPValue),
      ];
    }),
  );
  output.print();
  output.print(sentence(drift, drifted));
}

const sayP = (p: number) => (p < 0.0001 ? '< 0.0001' : say(p));

function sentence({ judged, rows, columns }: DriftTable, drifted: readonly string[]): string {
  if (!judged) return `Only ${say(rows.analysis)} current rows: nothing is judged (--min-rows).`;
  if (drifted.length > 0) return `Drifted: ${drifted.join(', ')}.`;
  return (
    `No drift that matters in ${columns.length} columns, ${say(rows.reference)} against ${say(rows.analysis)} rows. ` +
    'A shift below "detectable" would have been overlooked.'
  );
}

function pageOf(
  reference: TableFile,
  current: TableFile,
  drift: DriftTable,
  policy: Pick<Declaration['monitor'], 'drift'>,
  prediction: string | undefined,
  action: string,
): string {
  const { prediction: output, ...facts } = driftFacts(
    { drift, verdict: { retrain: false, reason: action } },
    { monitor: policy },
    {},
    0,
  );
  return renderPage({
    run: {
      id: `${basename(reference.file)} – ${basename(current.file)}`,
      useCase: 'compare',
      question: `Has ${basename(current.file)} drifted from ${basename(reference.file)}?`,
      startedAt: new Date().toISOString(),
    },
    drift: {
      ...facts,
      ...(prediction !== undefined && output && { prediction: { ...output, name: prediction } }),
      reference: { label: basename(reference.file), rows: reference.rows },
      analysis: { label: basename(current.file), rows: current.rows },
    },
  });
}
