import type { ColumnDrift, DriftTable } from '../../monitoring/drift.ts';
import type { Verdict } from '../../monitoring/verdict.ts';
import type { Drift, FeatureDrift, OverlayBin } from '../../report/facts.ts';
import type { Declaration } from '../../usecase/declaration.ts';

/** The monitor's findings as the report shows them; severities and verdict are the monitor's own. */
export function driftFacts(
  { drift, verdict }: { drift: DriftTable; verdict: Pick<Verdict, 'retrain' | 'reason'> },
  { monitor }: { monitor: Pick<Declaration['monitor'], 'drift'> },
  units: { readonly [column: string]: string },
  version: number,
): Drift {
  const fact = (column: ColumnDrift) => columnFact(column, units[column.name] ?? '');
  return {
    reference: { label: `training data of version ${version}`, rows: drift.rows.reference },
    analysis: { label: 'scored in this run', rows: drift.rows.analysis },
    psiLimits: monitor.drift.psi,
    falseDiscoveryRate: monitor.drift.falseDiscoveryRate,
    features: drift.columns.map(fact),
    prediction: fact(drift.prediction),
    action: verdict.retrain ? `${verdict.reason} A retraining is requested.` : verdict.reason,
  };
}

function columnFact(column: ColumnDrift, unit: string): FeatureDrift {
  const { shift, test } = column;
  return {
    name: column.name,
    ...(unit && { unit }),
    severity: severityFact[column.severity],
    psi: column.psi,
    psiByChance: column.expectedPsi,
    direction: shift.direction,
    effect: {
      name: shift.level === null ? 'mean' : `share of ${shift.level}`,
      unit: shift.level === null ? unit : 'share',
      reference: shift.reference,
      analysis: shift.analysis,
    },
    test: { name: testName[test.name], statistic: test.statistic, p: test.pValue, adjustedP: test.adjustedPValue },
    minimumDetectable: column.minimumDetectableShift,
    ...(column.importance !== null && { importanceShare: column.importance }),
    overlay: overlayOf(column.bins, column.rows),
  };
}

const severityFact = { NONE: 'stable', LOW: 'warn', MEDIUM: 'warn', HIGH: 'alert', CRITICAL: 'alert' } as const;
const testName = { kolmogorovSmirnov: 'Kolmogorov–Smirnov', chiSquare: 'χ²' } as const;

/** Shares over the reference's own bins. */
export function overlayOf(bins: ColumnDrift['bins'], rows: { reference: number; analysis: number }): OverlayBin[] {
  return bins.reference.map((count, i) => ({
    label: bins.levels ? bins.levels[i] : binLabel(bins.edges!, i),
    ...(bins.edges && { from: bins.edges[i - 1], to: bins.edges[i] }),
    referenceShare: count / rows.reference,
    analysisShare: bins.analysis[i] / rows.analysis,
  }));
}

function binLabel(edges: readonly number[], i: number): string {
  const say = (edge: number) => String(Math.abs(edge) < 1 ? Number(edge.toPrecision(2)) : Math.round(edge * 100) / 100);
  if (i === 0) return `up to ${say(edges[0])}`;
  return i === edges.length ? `above ${say(edges[i - 1])}` : `${say(edges[i - 1])} – ${say(edges[i])}`;
}
