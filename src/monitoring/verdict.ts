import { say, sayShare } from '../governance/text.ts';
import { minimumDetectableShift } from '../ml/stats/minimum-detectable-shift.ts';
import type { DriftTable } from './drift.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import type { Performance } from './performance.ts';
import { type Finding, type FindingKind, type Severity, severities, worstSeverity } from './severity.ts';

/** What it all comes to. */
export type VerdictKind =
  'stable' | 'insufficient-data' | 'bad-data' | 'population-shift' | 'prediction-drift' | 'concept-drift';

/** `NOTHING` is redeployed; `RECALIBRATE` by the balance factor, as a new version; `REFIT` by retraining. */
export type Action = 'NOTHING' | 'RECALIBRATE' | 'REFIT';

/** The one verdict of a monitoring run; plain JSON. */
export type Verdict = {
  kind: VerdictKind;
  severity: Severity;
  action: Action;
  /** Whether a retraining is requested: `REFIT`, where the use case retrains on drift. */
  retrain: boolean;
  /** Whether population, predictions or concept have drifted; bad data are not drift. */
  driftDetected: boolean;
  /** The drifted features, by falling impact. */
  features: string[];
  reason: string;
  /** What the predictions would have to be multiplied by; null where the truth is not known. */
  balanceFactor: number | null;
  /** Most severe first. */
  findings: Finding[];
};

/**
 * Weighs everything found into one verdict, the more basic cause first: without enough rows or with wrong data nothing is said
 * about the world; matured truth decides before inputs do; a changed population calls for a new model only where errors have
 * risen or cannot be known yet.
 */
export function reachVerdict(
  { drift, performance, findings }: { drift: DriftTable; performance: Performance; findings: readonly Finding[] },
  policy: Pick<MonitorPolicy, 'drift'>,
  onDrift: boolean,
): Verdict {
  const ordered = findings.toSorted((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
  const { kind, action, because } = decide(drift, performance, ordered, policy);
  const retrain = action === 'REFIT' && onDrift;
  const notAsked = action === 'REFIT' && !onDrift ? ' This use case does not retrain on drift: start it by hand.' : '';
  const driftDetected = kind === 'population-shift' || kind === 'prediction-drift' || kind === 'concept-drift';
  return {
    kind,
    severity: worstSeverity(ordered.map(({ severity }) => severity)),
    action,
    retrain,
    driftDetected,
    features: driftDetected ? drift.columns.filter(({ severity }) => severity !== 'NONE').map(({ name }) => name) : [],
    reason: because + notAsked,
    balanceFactor: performance.actualOverExpected?.value ?? null,
    findings: ordered,
  };
}

type Decided = { kind: VerdictKind; action: Action; because: string };

function decide(
  drift: DriftTable,
  performance: Performance,
  findings: readonly Finding[],
  policy: Pick<MonitorPolicy, 'drift'>,
): Decided {
  const of = (...kinds: FindingKind[]) => findings.filter(({ kind }) => kinds.includes(kind));
  const decisive = (found: readonly Finding[]) =>
    found.filter(({ severity }) => severity === 'HIGH' || severity === 'CRITICAL');

  const wrong = of('quarantine', 'missing-values', 'unit-change');
  if (wrong.length > 0) {
    return { kind: 'bad-data', action: 'NOTHING', because: `The data are wrong rather than new: ${textOf(wrong)}` };
  }
  const scarce = of('low-volume');
  if (scarce.length > 0) return { kind: 'insufficient-data', action: 'NOTHING', because: textOf(scarce) };

  const shifted = of('feature-drift', 'composite-drift', 'demographic-shift');
  const population = decisive(of('feature-drift', 'composite-drift'));
  const worse = decisive(of('performance-limit', 'performance-worse'));
  const off = of('imbalance');

  if (off.length > 0 || (worse.length > 0 && population.length === 0)) {
    return conceptDrift(performance, [...off, ...worse], shifted);
  }
  if (population.length > 0) return populationShift(performance, population, worse);
  const moved = of('prediction-drift');
  if (shifted.length > 0) {
    return {
      kind: 'population-shift',
      action: 'NOTHING',
      because: `${textOf([...shifted, ...moved])} It is not enough for a new model; review the groups that have grown.`,
    };
  }
  if (moved.length > 0) {
    return {
      kind: 'prediction-drift',
      action: 'NOTHING',
      because: `The predictions have moved and no input explains it: ${textOf(moved)} Check features and scoring.`,
    };
  }
  return { kind: 'stable', action: 'NOTHING', because: stableBecause(drift, performance, findings, policy) };
}

/** The relation between inputs and truth has changed. Where only the level is off, for the same people, a factor repairs it. */
function conceptDrift(performance: Performance, why: readonly Finding[], shifted: readonly Finding[]): Decided {
  const factor = performance.actualOverExpected?.value ?? NaN;
  if (why.some(({ kind }) => kind === 'imbalance') && performance.recalibrationHeals && shifted.length === 0) {
    return {
      kind: 'concept-drift',
      action: 'RECALIBRATE',
      because: `${textOf(why)} Multiplied by ${say(factor)} the predictions are as good as on the frozen test set.`,
    };
  }
  return { kind: 'concept-drift', action: 'REFIT', because: textOf([...why, ...shifted]) };
}

function populationShift(performance: Performance, population: readonly Finding[], worse: readonly Finding[]): Decided {
  const kind = 'population-shift';
  if (worse.length > 0) return { kind, action: 'REFIT', because: textOf([...population, ...worse]) };
  if (!performance.known) return { kind, action: 'REFIT', because: `${textOf(population)} ${performance.text}` };
  return {
    kind,
    action: 'NOTHING',
    because: `${textOf(population)} The model copes with it so far. ${performance.text}`,
  };
}

/** All green says what could have been overlooked. */
function stableBecause(
  { rows, columns }: DriftTable,
  performance: Performance,
  findings: readonly Finding[],
  { drift }: Pick<MonitorPolicy, 'drift'>,
): string {
  const significance = drift.falseDiscoveryRate / Math.max(columns.length, 1);
  const shift = minimumDetectableShift(rows.reference, rows.analysis, { significance, power: standardLimits.power });
  const noted = findings.length > 0 ? `${textOf(findings)} Nothing of it calls for an action. ` : '';
  return (
    `${noted}No drift that matters in ${columns.length} columns on ${say(rows.analysis)} predictions; a mean that had moved by ` +
    `${say(shift)} standard deviations would have been noticed with a chance of ${sayShare(standardLimits.power)}. ${performance.text}`
  );
}

/** The first three in full: the others stand in the table. */
function textOf(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 3).map(({ text }) => text);
  const rest = findings.length - shown.length;
  return rest > 0 ? `${shown.join(' ')} And ${rest} more.` : shown.join(' ');
}
