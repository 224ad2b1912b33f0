import { say, sayShare } from '../governance/text.ts';
import type { DriftTable } from './drift.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import { type MonitoredRows, type ReferenceProfile, shareOf } from './reference.ts';
import { type Finding, finding } from './severity.ts';
import { sayP, sayShift } from './text.ts';

/** How the portfolio as a whole has changed; plain JSON. */
export type PopulationChange = {
  /** By declared column: relative change of a mean, difference of a share; whether chance explains it. */
  demographic: { column: string; change: number; significant: boolean }[];
  /** The mean of the relative change of the prediction and of the declared columns' changes. */
  composite: number;
  flags: { flag: string; reference: number; analysis: number }[];
};

/** Thrown when a declared demographic column is not in the reference. */
export class UnknownMonitorColumn extends Error {
  override name = 'UnknownMonitorColumn';
}

export function measurePopulation(
  reference: ReferenceProfile,
  rows: MonitoredRows,
  drift: DriftTable,
  policy: Pick<MonitorPolicy, 'drift'>,
): PopulationChange {
  const { demographic, composite, falseDiscoveryRate } = policy.drift;
  const changeOf = (name: string) => {
    const column = drift.columns.find((other) => other.name === name);
    if (!column) {
      const known = drift.columns.map((other) => other.name).join(', ');
      throw new UnknownMonitorColumn(
        `The column ${name} is monitored but not in the model's reference, which has: ${known}.`,
      );
    }
    const { level, reference: was, difference } = column.shift;
    return {
      column: name,
      change: Math.abs(level === null ? difference / was : difference),
      significant: column.test.adjustedPValue <= falseDiscoveryRate,
    };
  };
  const parts = [Math.abs(drift.prediction.relativeChange), ...composite.columns.map((name) => changeOf(name).change)];
  return {
    demographic: demographic.columns.map(changeOf),
    composite: parts.reduce((sum, part) => sum + part, 0) / parts.length,
    flags: Object.entries(rows.flags).map(([flag, values]) => ({
      flag,
      reference: reference.flags[flag] ?? NaN,
      analysis: shareOf(values),
    })),
  };
}

/** What of it goes beyond the limits and beyond chance. Nothing is concluded from too few rows. */
export function populationFindings(
  drift: DriftTable,
  population: PopulationChange,
  policy: Pick<MonitorPolicy, 'drift'>,
  units: Readonly<Record<string, string>>,
): Finding[] {
  if (!drift.judged) return [];
  return [
    ...featureFindings(drift, policy, units),
    ...demographicFindings(drift, population, policy, units),
    ...predictionFindings(drift, policy, units),
    ...flagFindings(drift, population),
    ...compositeFindings(drift, population, policy),
  ];
}

function featureFindings(
  { columns }: DriftTable,
  { drift }: Pick<MonitorPolicy, 'drift'>,
  units: Readonly<Record<string, string>>,
): Finding[] {
  return columns
    .filter(({ severity }) => severity !== 'NONE')
    .map((column) =>
      finding({
        kind: 'feature-drift',
        severity: column.severity,
        subject: column.name,
        value: column.psi,
        limit: drift.psi.warn,
        text:
          `${sayShift(column, units[column.name])}: PSI ${say(column.psi)} where chance gives ${say(column.expectedPsi)}, ` +
          `adjusted ${sayP(column.test.adjustedPValue)}.`,
      }),
    );
}

function demographicFindings(
  { columns }: DriftTable,
  { demographic }: PopulationChange,
  { drift }: Pick<MonitorPolicy, 'drift'>,
  units: Readonly<Record<string, string>>,
): Finding[] {
  const limit = drift.demographic.alert;
  return demographic
    .filter(({ change, significant }) => significant && change > limit)
    .map(({ column, change }) => {
      const shifted = columns.find(({ name }) => name === column);
      return finding({
        kind: 'demographic-shift',
        severity: 'HIGH',
        subject: column,
        value: change,
        limit,
        text: `${shifted ? sayShift(shifted, units[column]) : column}, a change of ${sayShare(change)}; ${sayShare(limit)} is the limit.`,
      });
    });
}

function predictionFindings(
  { prediction }: DriftTable,
  { drift }: Pick<MonitorPolicy, 'drift'>,
  units: Readonly<Record<string, string>>,
): Finding[] {
  if (prediction.severity === 'NONE') return [];
  const { relativeChange, z } = prediction;
  return [
    finding({
      kind: 'prediction-drift',
      severity: prediction.severity,
      subject: 'prediction',
      value: relativeChange,
      limit: drift.prediction.relative,
      text: `${sayShift(prediction, units.prediction)}, a change of ${sayShare(relativeChange)} at z ${say(z)}.`,
    }),
  ];
}

/** Shares are compared by a z test of two proportions. */
function flagFindings({ rows }: DriftTable, { flags }: PopulationChange): Finding[] {
  const limit = standardLimits.flagShare;
  return flags.flatMap(({ flag, reference, analysis }) => {
    const change = analysis - reference;
    const variance = (reference * (1 - reference)) / rows.reference + (analysis * (1 - analysis)) / rows.analysis;
    if (!(Math.abs(change) > limit && Math.abs(change) > 2 * Math.sqrt(variance))) return [];
    return finding({
      kind: 'flag-share',
      severity: 'MEDIUM',
      subject: flag,
      value: change,
      limit,
      text: `${flag} goes from ${sayShare(reference)} to ${sayShare(analysis)} of the rows.`,
    });
  });
}

/** Listed from the lower limit on, an alert from the upper one; only when at least one part of it is more than chance. */
function compositeFindings(
  { prediction }: DriftTable,
  { composite, demographic }: PopulationChange,
  { drift }: Pick<MonitorPolicy, 'drift'>,
): Finding[] {
  const { warn, alert } = drift.composite;
  const real = prediction.severity !== 'NONE' || demographic.some(({ significant }) => significant);
  if (!(real && composite > warn)) return [];
  return [
    finding({
      kind: 'composite-drift',
      severity: composite > alert ? 'HIGH' : 'MEDIUM',
      subject: 'portfolio',
      value: composite,
      limit: composite > alert ? alert : warn,
      text: `Prediction and portfolio have changed by ${say(composite)} on average.`,
    }),
  ];
}
