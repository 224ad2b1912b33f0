import { benjaminiHochberg } from '../ml/stats/benjamini-hochberg.ts';
import { countBins } from '../ml/stats/bins.ts';
import { chiSquare } from '../ml/stats/chi-square.ts';
import { sortedPresent } from '../ml/stats/ecdf.ts';
import { jensenShannon } from '../ml/stats/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../ml/stats/kolmogorov-smirnov.ts';
import { minimumDetectableShift } from '../ml/stats/minimum-detectable-shift.ts';
import { moments } from '../ml/stats/moments.ts';
import { expectedPsi, psi } from '../ml/stats/psi.ts';
import { wasserstein } from '../ml/stats/wasserstein.ts';
import { zTest } from '../ml/stats/z-test.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import {
  type CategoryProfile,
  type ColumnProfile,
  countLevels,
  type MonitoredColumn,
  type MonitoredRows,
  type NumberProfile,
  otherLevel,
  type ReferenceProfile,
} from './reference.ts';
import type { Severity } from './severity.ts';

/** How one column differs between the reference and the rows looked at; plain JSON. */
export type ColumnDrift = {
  name: string;
  kind: 'number' | 'category';
  /** From effect size and test together: never from one of them alone. */
  severity: Severity;
  /** Rows that have a value. */
  rows: { reference: number; analysis: number };
  missingShare: { reference: number; analysis: number };
  psi: number;
  /** What the index comes to by chance alone at these numbers of rows. */
  expectedPsi: number;
  jensenShannon: number;
  /** In the column's unit; null for categories. */
  wasserstein: number | null;
  test: {
    name: 'kolmogorovSmirnov' | 'chiSquare';
    statistic: number;
    pValue: number;
    /** Benjamini–Hochberg over all columns. */
    adjustedPValue: number;
  };
  shift: Shift;
  /** The smallest shift that the test would have noticed, in the unit of `shift`. */
  minimumDetectableShift: number;
  /** Share of all mean |SHAP| that the feature holds; null where it is not known. */
  importance: number | null;
  /** Counts over the same bins, for a chart; bin i is (edge i−1, edge i], or the level. */
  bins: { edges: number[] | null; levels: string[] | null; reference: number[]; analysis: number[] };
};

/** Where it went: the mean of a number, the share of the level that has changed most. */
export type Shift = {
  direction: 'up' | 'down' | 'changed' | 'none';
  /** The level whose share is meant; null for a number. */
  level: string | null;
  reference: number;
  analysis: number;
  /** analysis − reference. */
  difference: number;
};

/** The model's output: beside its distribution, its mean. */
export type PredictionDrift = ColumnDrift & {
  /** (analysis − reference) / |reference| of the mean. */
  relativeChange: number;
  /** Of that difference, in standard errors. */
  z: number;
};

export type DriftTable = {
  rows: { reference: number; analysis: number };
  /** False below the declared volume: everything is shown and nothing is concluded. */
  judged: boolean;
  /** By falling impact: stability index, times the importance where it is known. */
  columns: ColumnDrift[];
  prediction: PredictionDrift;
};

/** Thrown when the rows looked at are not of the kind that the reference was fitted on. */
export class ReferenceMismatch extends Error {
  override name = 'ReferenceMismatch';
}

/**
 * Compares rows with the reference of their model. A column has drifted when its stability index, less what chance gives, exceeds
 * the declared limit **and** its test, adjusted for the number of columns, says that chance does not explain it: the index alone
 * fires at small numbers of rows, the test alone at large ones. Throws `ReferenceMismatch`.
 */
export function calculateDrift(
  reference: ReferenceProfile,
  rows: MonitoredRows,
  policy: Pick<MonitorPolicy, 'minVolume' | 'drift'>,
): DriftTable {
  const analysed = rows.predictions.length;
  const judged = analysed >= policy.minVolume;
  const significance = policy.drift.falseDiscoveryRate;
  const { importance } = reference;
  const totalImportance = Object.values(importance).reduce((sum, value) => sum + value, 0);
  const known = totalImportance > 0;
  const detectable = {
    significance: significance / Math.max(reference.columns.length, 1),
    power: standardLimits.power,
  };

  const measured = reference.columns.map((profile) => ({
    ...compareColumn(profile, columnOf(rows, profile), detectable),
    importance: known && Object.hasOwn(importance, profile.name) ? importance[profile.name] / totalImportance : null,
  }));
  const adjusted = benjaminiHochberg(measured.map(({ test }) => test.pValue));
  const columns = measured.map((column, i): ColumnDrift => {
    const test = { ...column.test, adjustedPValue: adjusted[i] };
    const beyondChance = column.psi - column.expectedPsi;
    const severity = judged && adjusted[i] <= significance ? severityOfPsi(beyondChance, policy) : 'NONE';
    return { ...column, test, severity };
  });

  return {
    rows: { reference: reference.rows, analysis: analysed },
    judged,
    columns: columns.sort((a, b) => impact(b, known) - impact(a, known) || b.psi - a.psi),
    prediction: comparePrediction(reference.prediction, rows.predictions, judged, policy),
  };
}

/** How much it matters; where importance is known at all, a column that the model does not see comes last. */
function impact({ psi: index, importance }: ColumnDrift, importanceKnown: boolean): number {
  return (Number.isNaN(index) ? 0 : index) * (importanceKnown ? (importance ?? 0) : 1);
}

function severityOfPsi(index: number, { drift }: Pick<MonitorPolicy, 'drift'>): Severity {
  if (index > standardLimits.psiCritical) return 'CRITICAL';
  if (index > drift.psi.alert) return 'HIGH';
  return index > drift.psi.warn ? 'MEDIUM' : 'NONE';
}

/** A mean that moved by more than the declared share, and by more standard errors than chance explains. */
function comparePrediction(
  profile: NumberProfile,
  predictions: Float64Array,
  judged: boolean,
  { drift }: Pick<MonitorPolicy, 'drift'>,
): PredictionDrift {
  const significance = drift.falseDiscoveryRate;
  const compared = compareNumber(profile, predictions, { significance, power: standardLimits.power });
  const { z } = zTest(profile.moments, moments(predictions));
  const relativeChange = compared.shift.difference / Math.abs(compared.shift.reference);
  const moved = Math.abs(relativeChange) > drift.prediction.relative && Math.abs(z) > drift.prediction.z;
  return {
    ...compared,
    test: { ...compared.test, adjustedPValue: compared.test.pValue },
    severity: judged && moved ? 'HIGH' : 'NONE',
    importance: null,
    relativeChange,
    z,
  };
}

type Measured = Omit<ColumnDrift, 'severity' | 'importance' | 'test'> & {
  test: Omit<ColumnDrift['test'], 'adjustedPValue'>;
};

type Detectable = { significance: number; power: number };

function compareColumn(profile: ColumnProfile, column: MonitoredColumn, detectable: Detectable): Measured {
  if (profile.kind === 'number' && column.kind === 'number') return compareNumber(profile, column.values, detectable);
  if (profile.kind === 'category' && column.kind === 'category') {
    return compareCategory(profile, column.values, detectable);
  }
  throw new ReferenceMismatch(
    `Column ${profile.name} was a ${profile.kind} when the model was trained and is a ${column.kind} now: ` +
      'compare the data contract with the one in the lineage of the model version.',
  );
}

function columnOf({ columns }: MonitoredRows, { name }: ColumnProfile): MonitoredColumn {
  const found = columns.find((column) => column.name === name);
  if (found) return found;
  throw new ReferenceMismatch(
    `Column ${name}, on which the model was trained, is not among the monitored ones: ${columns.map((c) => c.name).join(', ')}.`,
  );
}

function compareNumber(profile: NumberProfile, values: Float64Array, detectable: Detectable): Measured {
  const sorted = sortedPresent(values);
  const counts = countBins(values, profile.edges);
  const now = moments(values);
  const { count: was, mean, sd } = profile.moments;
  const difference = now.mean - mean;
  const { statistic, pValue } = profile.discrete
    ? chiSquare(profile.counts, counts)
    : kolmogorovSmirnov(profile.ecdf, sorted);
  return {
    name: profile.name,
    kind: 'number',
    ...common(profile, was, counts, values.length),
    wasserstein: wasserstein(profile.ecdf, sorted),
    test: { name: profile.discrete ? 'chiSquare' : 'kolmogorovSmirnov', statistic, pValue },
    shift: { direction: directionOf(difference), level: null, reference: mean, analysis: now.mean, difference },
    minimumDetectableShift: sd * minimumDetectableShift(was, now.count, detectable),
    bins: { edges: profile.edges, levels: null, reference: profile.counts, analysis: counts },
  };
}

function compareCategory(profile: CategoryProfile, values: ArrayLike<string | null>, detectable: Detectable): Measured {
  const { byLevel, missing } = countLevels(values);
  const present = values.length - missing;
  const counts = profile.levels.map((level) => (level === otherLevel ? 0 : (byLevel.get(level) ?? 0)));
  // levels that the reference did not have, or did not keep
  counts[counts.length - 1] = present - counts.reduce((sum, count) => sum + count, 0);
  const was = profile.counts.reduce((sum, count) => sum + count, 0);
  const shift = largestShareShift(profile, counts, was, present);
  const { statistic, pValue } = chiSquare(profile.counts, counts);
  const spread = Math.max(...profile.counts.map((count) => Math.sqrt((count / was) * (1 - count / was))));
  return {
    name: profile.name,
    kind: 'category',
    ...common(profile, was, counts, values.length),
    wasserstein: null,
    test: { name: 'chiSquare', statistic, pValue },
    shift,
    minimumDetectableShift: spread * minimumDetectableShift(was, present, detectable),
    bins: { edges: null, levels: profile.levels, reference: profile.counts, analysis: counts },
  };
}

/** The level that has changed most; of two that mirror each other the rarer one, which is the one people speak of. */
function largestShareShift(profile: CategoryProfile, counts: number[], was: number, present: number): Shift {
  const shares = profile.levels
    .map((level, i) => ({ level, reference: profile.counts[i] / was, analysis: counts[i] / present }))
    .filter(({ reference, analysis }) => reference > 0 || analysis > 0)
    .map((share) => ({ ...share, difference: share.analysis - share.reference }));
  const largest = shares.reduce((a, b) => (Math.abs(b.difference) > Math.abs(a.difference) - 1e-12 ? b : a));
  return { direction: largest.difference === 0 ? 'none' : 'changed', ...largest };
}

/** What is the same for numbers and categories: everything that only needs counts. */
function common(profile: ColumnProfile, was: number, counts: number[], analysed: number) {
  const now = counts.reduce((sum, count) => sum + count, 0);
  const used = counts.filter((count, i) => count + profile.counts[i] > 0).length;
  return {
    rows: { reference: was, analysis: now },
    missingShare: { reference: profile.missing / (was + profile.missing), analysis: 1 - now / analysed },
    psi: psi(profile.counts, counts),
    expectedPsi: expectedPsi(used, was, now),
    jensenShannon: jensenShannon(profile.counts, counts),
  };
}

function directionOf(difference: number): Shift['direction'] {
  if (difference > 0) return 'up';
  return difference < 0 ? 'down' : 'none';
}
