import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { listVersions } from '../governance/registry.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import type { Drift, Gate } from '../report/facts.ts';
import type { Ended, Runtime } from '../runtime/runtime.ts';
import { factsOf } from '../stages/common/facts.ts';
import { loadEvaluation } from '../stages/common/version.ts';
import type { Call } from './command.ts';
import type { Output } from './output.ts';
import { reportPaths } from './outcome.ts';

export type Month = { fileName: string; bytes: Uint8Array };

/** What `demo --json` prints: how the two months went, in figures. */
export type DemoDocument = {
  format: 1;
  useCase: string;
  /** Of the first file; dropped = accepted + quarantined + rejected. */
  rows: { dropped: number; accepted: number; quarantined: number; rejected: number };
  /** The version that the first month made champion; null where every gate's answer was no. */
  champion: { version: number; algorithm: string; metrics: { [name: string]: Estimate } } | null;
  /** Means over the folds of the chosen candidate, over all labelled rows of the first file. */
  crossValidation: { r2: number; mae: number } | null;
  gates: { name: string; passed: boolean; evidence: string }[];
  predictions: { rows: number };
  drift: { detected: boolean; features: string[] };
  /** What the retraining of the second month made; null where none was asked for. */
  challenger: { version: number; promoted: boolean; reason: string } | null;
  /** Why the first file or its model went no further; null where it did. */
  refused: string | null;
  reports: string[];
  seconds: number;
};

type Demo = { useCase: string; runId: string; ended: readonly Ended[]; call: Call; startedMs: number };

/** Reads the figures from what the runs have stored. `runId` is the first drop's run. */
export async function demoDocument(
  runtime: Runtime,
  { useCase, runId, ended, call, startedMs }: Demo,
): Promise<DemoDocument> {
  const { ports } = runtime;
  const fact = (run: string, stage: Parameters<typeof factsOf>[2]) => factsOf(ports, { useCase, runId: run }, stage);
  const quality = (await fact(runId, 'Validate'))?.quality;
  const gates: readonly Gate[] = (await fact(runId, 'Govern'))?.gates ?? [];
  const [first, second] = await listVersions(ports.registry, useCase);
  const entries = await readLedger(ports.registry, useCase);
  const wasPromoted = (version: number) =>
    entries.some((entry) => entry.kind === 'promote' && entry.version === version);
  const evaluation = first && (await loadEvaluation(ports, first));

  const monitored = ended.filter(({ announced }) => announced.includes('DriftDetected')).length > 0;
  const driftRun = second?.lineage.runId;
  const drift: Drift | undefined = driftRun === undefined ? undefined : (await fact(driftRun, 'Monitor'))?.drift;
  const judgement = driftRun === undefined ? undefined : (await fact(driftRun, 'Govern'))?.promotion;
  return {
    format: 1,
    useCase,
    rows: {
      dropped: quality?.droppedRows ?? 0,
      accepted: quality?.acceptedRows ?? 0,
      quarantined: quality?.quarantinedRows ?? 0,
      rejected: quality?.rejectedRows ?? 0,
    },
    champion:
      first && wasPromoted(first.version)
        ? {
            version: first.version,
            algorithm: first.lineage.algorithm,
            metrics: evaluation.metrics,
          }
        : null,
    crossValidation: evaluation
      ? { r2: evaluation.crossValidation['r2'], mae: evaluation.crossValidation['mae'] }
      : null,
    gates: gates.map(({ name, passed, evidence }) => ({ name, passed, evidence })),
    predictions: { rows: (await fact(runId, 'Publish'))?.predictions?.rows ?? 0 },
    drift: {
      detected: monitored,
      features: drift?.features.filter(({ severity }) => severity !== 'stable').map(({ name }) => name) ?? [],
    },
    challenger:
      second && judgement
        ? {
            version: second.version,
            promoted: liveAt(entries, 'champion') === second.version,
            reason: judgement.reason,
          }
        : null,
    refused: refusalOf(ended, gates),
    reports: reportPaths(call.directory, ended),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** The failed gates, or what a machine that failed says. */
function refusalOf(ended: readonly Ended[], gates: readonly Gate[]): string | null {
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length > 0) return failed.map(({ name, evidence }) => `${name}: ${evidence}`).join(' ');
  return ended.find(({ status }) => status !== 'SUCCEEDED')?.cause?.replace(/^DatasetRefused: /, '') ?? null;
}

/** The same for people; the last line is a report's path. */
export function summaryLines(document: DemoDocument, { style, width }: Output): string[] {
  const { rows, champion, crossValidation, predictions, drift, challenger, gates } = document;
  const count = (value: number) => value.toLocaleString('en-US');
  const said = (name: string, estimate: Estimate, digits: number) =>
    `${name} ${estimate.value.toFixed(digits)} (${estimate.low.toFixed(digits)} – ${estimate.high.toFixed(digits)})`;
  const line = (label: string, text: string) =>
    wrapped(text, width - 13)
      .map((part, i) => `${style('dim', (i === 0 ? label : '').padEnd(12))} ${part}`)
      .join('\n');
  return [
    '',
    style(
      'bold',
      `${document.useCase}, ${champion ? 'two months' : 'the first month'} in ${document.seconds.toFixed(1)} s`,
    ),
    line(
      'rows',
      `${count(rows.dropped)} dropped = ${count(rows.accepted)} accepted + ${count(rows.quarantined)} quarantined + ${count(rows.rejected)} rejected`,
    ),
    ...(crossValidation
      ? [
          line(
            'candidates',
            `best by five-fold cross-validation: R² ${crossValidation.r2.toFixed(3)}, mean absolute error ${crossValidation.mae.toFixed(0)}`,
          ),
        ]
      : []),
    ...(champion
      ? [
          line(
            'champion',
            `version ${champion.version}, ${champion.algorithm}: ${said('R²', champion.metrics['r2'], 3)}, ${said('MAE', champion.metrics['mae'], 0)} on the frozen test set`,
          ),
          line('gates', `all ${gates.length} passed`),
          line('predictions', `${count(predictions.rows)} published, each with interval, band and flags`),
        ]
      : [line('refused', document.refused ?? '')]),
    ...(champion
      ? [line('drift', drift.detected ? `found in February: ${drift.features.join(', ')}` : 'none in February')]
      : []),
    ...(challenger
      ? [
          line(
            'challenger',
            `version ${challenger.version} ${challenger.promoted ? 'promoted' : 'refused'}. ${challenger.reason}`,
          ),
        ]
      : []),
    '',
    ...(champion
      ? ['Look around:  npx bordereau tables   npx bordereau registry history   npx bordereau quarantine list']
      : []),
    ...document.reports.map((path) => path),
  ];
}

/** The text in lines of at most so many characters, broken between words. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
