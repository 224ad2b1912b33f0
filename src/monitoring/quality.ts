import { say, sayShare } from '../governance/text.ts';
import { countBins } from '../ml/stats/bins.ts';
import { psi } from '../ml/stats/psi.ts';
import type { ColumnDrift, DriftTable } from './drift.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import type { MonitoredRows, ReferenceProfile } from './reference.ts';
import { type Finding, finding } from './severity.ts';

/** What the ingest machine counted over the same window. */
export type Delivery = { acceptedRows: number; quarantinedRows: number };

/**
 * Signs that the data are wrong rather than different: a model must not be retrained on them. Too few rows, rows in quarantine,
 * missing values, and columns that have the shape of the reference once they are divided by a common factor of units.
 */
export function qualityFindings(
  reference: ReferenceProfile,
  rows: MonitoredRows,
  drift: DriftTable,
  delivery: Delivery,
  policy: Pick<MonitorPolicy, 'minVolume' | 'drift'>,
): Finding[] {
  return [
    ...volumeFinding(drift, policy),
    ...quarantineFinding(delivery),
    ...(drift.judged ? drift.columns.flatMap((column) => missingFinding(column, drift.rows.analysis)) : []),
    ...(drift.judged ? unitFindings(reference, rows, drift, policy) : []),
  ];
}

function volumeFinding({ rows, judged }: DriftTable, { minVolume }: Pick<MonitorPolicy, 'minVolume'>): Finding[] {
  if (judged) return [];
  return [
    finding({
      kind: 'low-volume',
      severity: 'MEDIUM',
      subject: 'predictions',
      value: rows.analysis,
      limit: minVolume,
      text: `There are ${say(rows.analysis)} predictions where at least ${say(minVolume)} are expected.`,
    }),
  ];
}

function quarantineFinding({ acceptedRows, quarantinedRows }: Delivery): Finding[] {
  const share = quarantinedRows / (acceptedRows + quarantinedRows);
  const limit = standardLimits.quarantinedShare;
  if (!(share > limit)) return [];
  return [
    finding({
      kind: 'quarantine',
      severity: 'HIGH',
      subject: 'rows',
      value: share,
      limit,
      text: `${say(quarantinedRows)} rows, ${sayShare(share)} of those delivered, are in quarantine.`,
    }),
  ];
}

function missingFinding({ name, missingShare }: ColumnDrift, rows: number): Finding[] {
  const { reference, analysis } = missingShare;
  const limit = standardLimits.missingShare;
  const rise = analysis - reference;
  const standardError = Math.sqrt((analysis * (1 - analysis)) / rows);
  if (!(rise > limit && rise > 2 * standardError)) return [];
  return [
    finding({
      kind: 'missing-values',
      severity: 'HIGH',
      subject: name,
      value: rise,
      limit,
      text: `${name} is missing in ${sayShare(analysis)} of the rows, in the reference in ${sayShare(reference)}.`,
    }),
  ];
}

/** Powers of ten (cents, thousands, percent), months, and the usual conversions of weight and length. */
const unitFactors = [10, 100, 1000, 12, 2.20462, 2.54, 3.28084, 0.453592].flatMap((factor) => [factor, 1 / factor]);

function unitFindings(
  reference: ReferenceProfile,
  rows: MonitoredRows,
  drift: DriftTable,
  policy: Pick<MonitorPolicy, 'drift'>,
): Finding[] {
  return drift.columns.flatMap((drifted) => {
    const profile = reference.columns.find(({ name }) => name === drifted.name);
    const column = rows.columns.find(({ name }) => name === drifted.name);
    if (drifted.severity !== 'CRITICAL' || profile?.kind !== 'number' || column?.kind !== 'number') return [];
    const rescaled = unitFactors.map((factor) => ({
      factor,
      index: psi(
        profile.counts,
        countBins(
          column.values.map((value) => value / factor),
          profile.edges,
        ),
      ),
    }));
    const best = rescaled.reduce((a, b) => (b.index < a.index ? b : a));
    if (!(best.index < policy.drift.psi.warn)) return [];
    return finding({
      kind: 'unit-change',
      severity: 'CRITICAL',
      subject: drifted.name,
      value: best.factor,
      limit: 1,
      text: `${drifted.name} looks ${say(best.factor)} times as large as in the reference: divided by that it has the same distribution.`,
    });
  });
}
