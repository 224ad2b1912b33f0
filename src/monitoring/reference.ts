import { countBins, quantileEdges } from '../ml/stats/bins.ts';
import { type Ecdf, ecdf, isComplete, sortedPresent } from '../ml/stats/ecdf.ts';
import { type Moments, moments } from '../ml/stats/moments.ts';

/** A column as it is watched: a number (NaN is missing) or a category (null is missing; booleans as `true`, `false`). */
export type MonitoredColumn =
  | { name: string; kind: 'number'; values: Float64Array }
  | { name: string; kind: 'category'; values: ArrayLike<string | null> };

/** Rows to learn from or to look at: features, carried columns, predictions and flags of the same rows. */
export type MonitoredRows = {
  columns: readonly MonitoredColumn[];
  predictions: Float64Array;
  /** By flag of the scoring rules: 1 where the row has it. */
  flags: Readonly<Record<string, Uint8Array>>;
};

export type NumberProfile = {
  name: string;
  kind: 'number';
  missing: number;
  moments: Moments;
  /** Bin i is (edge i−1, edge i], open at both ends of the axis. */
  edges: number[];
  counts: number[];
  /** Few values: every value has its bin, and bins are compared instead of distribution functions. */
  discrete: boolean;
  ecdf: Ecdf;
};

export type CategoryProfile = {
  name: string;
  kind: 'category';
  missing: number;
  /** Commonest first; rarer ones than the first fifty are counted together as `(other)`. */
  levels: string[];
  counts: number[];
};

export type ColumnProfile = NumberProfile | CategoryProfile;

/**
 * What a model was trained on, as far as drift needs it: bins, shares, moments and a bounded distribution function per column,
 * no rows. Plain JSON; published with the model version and never redrawn, so that monitoring never compares a table with itself.
 */
export type ReferenceProfile = {
  format: 1;
  dataVersion: number;
  rows: number;
  columns: ColumnProfile[];
  prediction: NumberProfile;
  /** Share of rows that have the flag. */
  flags: Record<string, number>;
  /** Errors of the rows of the frozen test set (`rowErrors`): what later errors are compared with. */
  errors: Moments;
  /** Mean |SHAP| by feature, to rank drift by; empty where it was not computed. */
  importance: Record<string, number>;
};

/** Bins of the stability index, and the values up to which a number counts as discrete. */
const bins = 10;
const maxEcdfPoints = 256;
const maxLevels = 50;
export const otherLevel = '(other)';

/** What `fitReference` needs beside the rows. */
export type ReferenceFacts = {
  dataVersion: number;
  /** The errors of the frozen test set, which are honest ones: `rowErrors`. */
  errors: Float64Array;
  /** Mean |SHAP| by feature. */
  importance: Readonly<Record<string, number>>;
};

/** Fits the reference on the frozen training rows and the predictions made for them. */
export function fitReference(
  rows: MonitoredRows,
  { dataVersion, errors, importance }: ReferenceFacts,
): ReferenceProfile {
  return {
    format: 1,
    dataVersion,
    rows: rows.predictions.length,
    columns: rows.columns.map(profileColumn),
    prediction: profileNumber('prediction', rows.predictions),
    flags: Object.fromEntries(Object.entries(rows.flags).map(([flag, values]) => [flag, shareOf(values)])),
    errors: moments(errors),
    importance: { ...importance },
  };
}

function profileColumn(column: MonitoredColumn): ColumnProfile {
  return column.kind === 'number'
    ? profileNumber(column.name, column.values)
    : profileCategory(column.name, column.values);
}

function profileNumber(name: string, values: Float64Array): NumberProfile {
  const sorted = sortedPresent(values);
  const distribution = ecdf(sorted, maxEcdfPoints);
  const discrete = distribution.values.length <= bins && isComplete(distribution);
  const edges = discrete ? edgesBetween(distribution.values) : quantileEdges(sorted, bins);
  return {
    name,
    kind: 'number',
    missing: values.length - sorted.length,
    moments: moments(values),
    edges,
    counts: countBins(values, edges),
    discrete,
    ecdf: distribution,
  };
}

/** One bin per value; a single value also gets an empty bin on either side, for otherwise nothing could ever leave it. */
function edgesBetween(values: readonly number[]): number[] {
  if (values.length !== 1) return values.slice(0, -1);
  const [only] = values;
  return [only - Math.max(Math.abs(only), 1) * Number.EPSILON, only];
}

function profileCategory(name: string, values: ArrayLike<string | null>): CategoryProfile {
  const { missing, byLevel } = countLevels(values);
  const ranked = [...byLevel].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kept = ranked.slice(0, maxLevels);
  const rest = ranked.slice(maxLevels).reduce((sum, [, count]) => sum + count, 0);
  return {
    name,
    kind: 'category',
    missing,
    levels: [...kept.map(([level]) => level), otherLevel],
    counts: [...kept.map(([, count]) => count), rest],
  };
}

/** Rows per level, and rows without one. */
export function countLevels(values: ArrayLike<string | null>): { missing: number; byLevel: Map<string, number> } {
  const byLevel = new Map<string, number>();
  let missing = 0;
  for (let row = 0; row < values.length; row++) {
    const level = values[row];
    if (level === null) missing++;
    else byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
  }
  return { missing, byLevel };
}

/** The share of rows that have the flag; NaN without rows. */
export function shareOf(flag: Uint8Array): number {
  return flag.reduce((sum, value) => sum + value, 0) / flag.length;
}
