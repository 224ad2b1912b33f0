import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { listVersions } from '../governance/registry.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import { upliftHeadline } from '../report/charts/uplift.ts';
import type { DataQuality, Drift, Gate } from '../report/facts.ts';
import type { Ended, Runtime } from '../runtime/runtime.ts';
import { factsOf } from '../stages/common/facts.ts';
import { loadEvaluation } from '../stages/common/version.ts';
import { type MetricName, metricDescriptors } from '../usecase/metrics.ts';
import { type Output, tableLines } from './output.ts';
import { reportPaths } from './outcome.ts';

/** What `demo --json` prints: how the story of a use case went, in figures. */
export type DemoDocument = {
  format: 1;
  useCase: string;
  /** Of the first files; dropped = accepted + quarantined + rejected. */
  rows: { dropped: number; accepted: number; quarantined: number; rejected: number };
  /** The version that the first files made champion; null where every gate's answer was no. */
  champion: { version: number; algorithm: string; metrics: { [name: string]: Estimate } } | null;
  /** Means over the folds of the chosen candidate, over all labelled rows of the first files; null where it has one fold. */
  crossValidation: { [metric: string]: number } | null;
  gates: { name: string; passed: boolean; evidence: string }[];
  predictions: { rows: number };
  /** `features` of every run that found drift, the prediction among them. */
  drift: { detected: boolean; features: string[] };
  /** What contacts change, in a sentence; null where nobody has told of responses yet. */
  uplift: string | null;
  /** What a retraining made of it; null where there was none. */
  challenger: { version: number; promoted: boolean; reason: string } | null;
  /** The versions that scored in shadow before their first use, and whether what was seen let them pass. */
  shadows: { version: number; promoted: boolean }[];
  /** Why the first files or their model went no further; null where they did. */
  refused: string | null;
  reports: string[];
  seconds: number;
};

type Demo = {
  useCase: string;
  runIds: readonly string[];
  ended: readonly Ended[];
  /** Where the runtime's state lies. */
  directory: string;
  startedMs: number;
};

/** Reads the figures from what the runs have stored. `runIds` are those of the first drops. */
export async function demoDocument(
  runtime: Runtime,
  { useCase, runIds, ended, directory, startedMs }: Demo,
): Promise<DemoDocument> {
  const { ports } = runtime;
  const fact = (run: string, stage: Parameters<typeof factsOf>[2]) => factsOf(ports, { useCase, runId: run }, stage);
  const qualities = await Promise.all(runIds.map(async (run) => (await fact(run, 'Validate'))?.quality));
  const total = (of: (quality: DataQuality) => number) =>
    qualities.reduce((sum, quality) => sum + (quality ? of(quality) : 0), 0);
  const [first, second] = await listVersions(ports.registry, useCase);
  const entries = await readLedger(ports.registry, useCase);
  const wasPromoted = (version: number) =>
    entries.some((entry) => entry.kind === 'promote' && entry.alias === 'champion' && entry.version === version);
  const evaluation = first && (await loadEvaluation(ports, first));
  const gates: readonly Gate[] = (first && (await fact(first.lineage.runId, 'Govern'))?.gates) ?? [];

  const driftRuns = ended.filter(({ announced }) => announced.includes('DriftDetected')).map(runIdOf);
  const drifts = await Promise.all(driftRuns.map(async (run) => (await fact(run, 'Monitor'))?.drift));
  const judgement =
    second &&
    entries.findLast(
      ({ kind, alias, version }) =>
        version === second.version && alias === 'champion' && (kind === 'promote' || kind === 'refuse'),
    );
  const shadows = entries.filter(({ kind, alias }) => kind === 'promote' && alias === 'shadow');
  const monitored = ended.filter(({ machine, status }) => machine === 'monitor' && status === 'SUCCEEDED').map(runIdOf);
  const uplifts = await Promise.all(monitored.map(async (run) => (await fact(run, 'Monitor'))?.uplift));
  const uplift = uplifts.findLast((measured) => measured !== undefined);
  return {
    format: 1,
    useCase,
    rows: {
      dropped: total(({ droppedRows }) => droppedRows),
      accepted: total(({ acceptedRows }) => acceptedRows),
      quarantined: total(({ quarantinedRows }) => quarantinedRows),
      rejected: total(({ rejectedRows }) => rejectedRows),
    },
    champion:
      first && wasPromoted(first.version)
        ? {
            version: first.version,
            algorithm: first.lineage.algorithm,
            metrics: evaluation.metrics,
          }
        : null,
    crossValidation:
      evaluation && Object.keys(evaluation.crossValidation).length > 0 ? evaluation.crossValidation : null,
    gates: gates.map(({ name, passed, evidence }) => ({ name, passed, evidence })),
    predictions: {
      rows: (first && (await fact(first.lineage.runId, 'Publish'))?.predictions?.rows) ?? 0,
    },
    drift: { detected: driftRuns.length > 0, features: [...new Set(drifts.flatMap(drifted))] },
    uplift: uplift ? upliftHeadline(uplift).sentence : null,
    challenger:
      second && judgement
        ? {
            version: second.version,
            promoted: liveAt(entries, 'champion') === second.version,
            reason: judgement.reason,
          }
        : null,
    shadows: shadows.map(({ version }) => ({ version, promoted: wasPromoted(version) })),
    refused: refusalOf(ended, gates),
    reports: reportPaths(directory, ended),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** What the machine's last stage says of the run that it belongs to. */
const runIdOf = ({ output }: Ended): string => (output as { runId: string }).runId;

/** The columns that have drifted, and the prediction where it has. */
function drifted(drift: Drift | undefined): string[] {
  if (!drift) return [];
  return [...drift.features, ...(drift.prediction ? [drift.prediction] : [])]
    .filter(({ severity }) => severity !== 'stable')
    .map(({ name }) => name);
}

/** The failed gates, or what a machine that failed says. */
function refusalOf(ended: readonly Ended[], gates: readonly Gate[]): string | null {
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length > 0) return failed.map(({ name, evidence }) => `${name}: ${evidence}`).join(' ');
  return ended.find(({ status }) => status !== 'SUCCEEDED')?.cause?.replace(/^DatasetRefused: /, '') ?? null;
}

/** The same for people; the last line is a report's path. */
export function summaryLines(document: DemoDocument, { style, width }: Output): string[] {
  const { rows, champion, crossValidation, predictions, drift, uplift, challenger, gates } = document;
  const count = (value: number) => value.toLocaleString('en-US');
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
            `best by cross-validation: ${figures(crossValidation)
              .map(([name, value]) => `${title(name)} ${shown(value)}`)
              .join(', ')}`,
          ),
        ]
      : []),
    ...(champion
      ? [
          line(
            'champion',
            `version ${champion.version}, ${champion.algorithm}: ${figures(champion.metrics)
              .map(([name, { value, low, high }]) => `${title(name)} ${shown(value)} (${shown(low)} – ${shown(high)})`)
              .join(', ')} on the frozen test set`,
          ),
          line('gates', `all ${gates.length} passed`),
          line('predictions', `${count(predictions.rows)} published and explained in the report`),
        ]
      : [line('refused', document.refused ?? '')]),
    ...document.shadows.map(({ version, promoted }) =>
      line(
        'shadow',
        `version ${version} scored in shadow first, and was then ${promoted ? 'promoted' : 'not promoted'}`,
      ),
    ),
    ...(champion ? [line('drift', drift.detected ? `found: ${drift.features.join(', ')}` : 'none found')] : []),
    ...(uplift === null ? [] : [line('contacts', uplift)]),
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

/** The use cases side by side; `seconds` is what all of them took by the clock, some of them at the same time. */
export function overviewLines(documents: readonly DemoDocument[], seconds: number, { style }: Output): string[] {
  const rows = documents.map(({ useCase, champion, challenger, drift, seconds: own }) => [
    useCase,
    champion
      ? figures(champion.metrics)
          .map(([name, { value }]) => `${title(name)} ${shown(value)}`)
          .join(', ')
      : 'refused',
    drift.detected ? 'drift' : 'no drift',
    challenger ? (challenger.promoted ? 'retrained, promoted' : 'retrained, refused') : '–',
    `${own.toFixed(1)} s`,
  ]);
  return [
    '',
    style('bold', `${documents.length} use cases in ${seconds.toFixed(0)} s`),
    ...tableLines(['use case', 'champion', 'second month', 'challenger', 'took'], rows),
  ];
}

/** The first two figures that a person asks for: of a cost, of an event, of a ranking. */
const asked = ['r2', 'roc_auc', 'mae', 'pr_auc', 'ndcg_at_5'];

const figures = <Value>(metrics: { [name: string]: Value }): [string, Value][] =>
  asked
    .filter((name) => Object.hasOwn(metrics, name))
    .map((name): [string, Value] => [name, metrics[name]])
    .slice(0, 2);

const title = (name: string) => metricDescriptors[name as MetricName].title;

/** Ratios with three decimals, amounts without. */
const shown = (value: number) => (Math.abs(value) < 20 ? value.toFixed(3) : Math.round(value).toLocaleString('en-US'));

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
