import { basename, resolve } from 'node:path';
import { say, sayShare } from '../governance/text.ts';
import { didYouMean } from '../data/nearest.ts';
import { type ColumnDrift, type DriftTable, calculateDrift } from '../monitoring/drift.ts';
import type { MonitoringResult } from '../monitoring/monitor.ts';
import { type MonitoredColumn, type MonitoredRows, fitReference } from '../monitoring/reference.ts';
import { renderPage } from '../report/page.ts';
import { driftFacts } from '../stages/common/drift-facts.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { list, numeric, share, whole } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { writeGiven } from './files.ts';
import type { Output } from './output.ts';
import { type TableColumn } from './table-columns.ts';
import { type TableFile, columnOf, numbersOf, readTable } from './table-file.ts';

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
    const none = new Float64Array(0);
    const profile = fitReference(rowsOf(reference, current, names, prediction), {
      dataVersion: 0,
      test: { actual: none, predicted: none },
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

/** The columns asked for, or those that both files have and that are no identifiers; what is left out is said. */
function columnsToCompare(
  reference: TableFile,
  current: TableFile,
  asked: string[] | undefined,
  prediction: string | undefined,
  output: Output,
): string[] {
  if (asked) {
    for (const name of asked) for (const table of [reference, current]) columnOf(table, name);
    return asked.filter((name) => name !== prediction);
  }
  const namesOf = (table: TableFile) => table.columns.map(({ name }) => name);
  const shared = namesOf(reference).filter((name) => namesOf(current).includes(name) && name !== prediction);
  for (const [table, other] of [
    [reference, current],
    [current, reference],
  ]) {
    const lacking = namesOf(other).filter((name) => !namesOf(table).includes(name));
    if (lacking.length > 0)
      output.note(`${table.file} lacks ${lacking.map((name) => name + didYouMean(name, namesOf(table))).join(', ')}`);
  }
  const identifiers = shared.filter((name) => isIdentifier(columnOf(reference, name)));
  if (identifiers.length > 0) {
    output.note(
      `Left out, because most rows have a value of their own: ${identifiers.join(', ')}. --columns compares them all the same.`,
    );
  }
  const names = shared.filter((name) => !identifiers.includes(name));
  if (names.length > 0) return names;
  throw new UsageError(`${reference.file} and ${current.file} have no column in common that can be compared.`);
}

/** Texts of which more than half are different say who a row is, not what it is like. */
function isIdentifier(column: TableColumn): boolean {
  if (column.kind !== 'text') return false;
  const present = column.values.filter((value) => value !== null);
  return present.length > 50 && new Set(present).size > present.length / 2;
}

/** The rows of a table as monitoring looks at them; a column that is empty here is of the kind that it has in the other table. */
function rowsOf(
  table: TableFile,
  other: TableFile,
  names: readonly string[],
  prediction: string | undefined,
): MonitoredRows {
  return {
    columns: names.map((name) => monitoredColumn(table, other, name)),
    // without a prediction every row carries the same one, whose drift says nothing and is never shown
    predictions: prediction === undefined ? new Float64Array(table.rows) : numbersOf(table, prediction),
    flags: {},
  };
}

function monitoredColumn(table: TableFile, other: TableFile, name: string): MonitoredColumn {
  const own = columnOf(table, name);
  const theirs = columnOf(other, name);
  if (own.kind !== theirs.kind && !isEmpty(own) && !isEmpty(theirs)) {
    throw new UsageError(
      `The column ${name} holds ${own.kind}s in ${table.file} and ${theirs.kind}s in ${other.file}: correct the file, or leave it out by --columns.`,
    );
  }
  const kind = isEmpty(own) ? theirs.kind : own.kind;
  if (kind === 'number')
    return { name, kind: 'number', values: own.kind === 'text' ? nothing(table.rows) : own.values };
  if (own.kind === 'text') return { name, kind: 'category', values: own.values };
  return {
    name,
    kind: 'category',
    values: Array.from(own.values, (value) => (Number.isNaN(value) ? null : String(value === 1))),
  };
}

function isEmpty(column: TableColumn): boolean {
  return column.kind === 'text' ? column.values.every((value) => value === null) : column.values.every(Number.isNaN);
}

const nothing = (rows: number) => new Float64Array(rows).fill(NaN);

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
  // driftFacts reads nothing else of the two
  const result = { drift, verdict: { retrain: false, reason: action } } as MonitoringResult;
  const { prediction: output, ...facts } = driftFacts(result, { monitor: policy } as Declaration, {}, 0);
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
