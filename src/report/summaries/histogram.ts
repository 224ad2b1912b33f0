import { ticks } from 'd3-array';
import type { Bin, OverlayBin, Unit } from '../facts.ts';
import { quantity } from '../format.ts';
import { partitionLevels, poolNeighbours } from '../small-groups.ts';
import { quantile } from './quantile.ts';

/** Rows of the compared samples between two edges; the outermost bins are open and hold what lies beyond. */
type Tally = { from: number; to: number; rows: number[]; open?: 'below' | 'above' | 'both' };

/**
 * The distribution of a number in about `about` bins of round width between its 1st and 99th percentile; what lies
 * beyond is counted into the end bins, and small bins are merged with their neighbours. NaN is passed over.
 */
export function histogram(values: ArrayLike<number>, unit: Unit = '', about = 12): Bin[] {
  return tally([values], about).map((bin) => ({
    label: binLabel(bin, unit),
    from: bin.from,
    to: bin.to,
    rows: bin.rows[0],
  }));
}

/** Two samples over the same bins, each as shares of its own rows. */
export function overlay(
  reference: ArrayLike<number>,
  analysis: ArrayLike<number>,
  unit: Unit = '',
  about = 20,
): OverlayBin[] {
  return shares(tally([reference, analysis], about)).map((bin) => ({
    label: binLabel(bin, unit),
    from: bin.from,
    to: bin.to,
    referenceShare: bin.share[0],
    analysisShare: bin.share[1],
  }));
}

/** The levels of a category, most frequent first; rare ones are pooled as "other". */
export function levels(rows: Readonly<Record<string, number>>, most = 8): Bin[] {
  return tallyLevels([rows], most).map((level) => ({ label: level.label, rows: level.rows[0] }));
}

/** The levels of a category in two samples, each as shares of its own rows. */
export function overlayLevels(
  reference: Readonly<Record<string, number>>,
  analysis: Readonly<Record<string, number>>,
  most = 8,
): OverlayBin[] {
  return shares(tallyLevels([reference, analysis], most)).map((level) => ({
    label: level.label,
    referenceShare: level.share[0],
    analysisShare: level.share[1],
  }));
}

function tally(samples: readonly ArrayLike<number>[], about: number): Tally[] {
  const sorted = samples.map((sample) => Float64Array.from(sample).filter(Number.isFinite).sort());
  const together = Float64Array.from(sorted.flatMap((sample) => [...sample])).sort();
  if (together.length === 0) return [];
  const [low, high] = [quantile(together, 0.01), quantile(together, 0.99)];
  const bins = binsBetween(low, high, about, samples.length);

  // each value goes to the last bin that starts at or below it, or to the first
  sorted.forEach((sample, s) => {
    let at = 0;
    for (const value of sample) {
      while (at < bins.length - 1 && value >= bins[at + 1].from) at++;
      bins[at].rows[s]++;
    }
  });
  if (bins.length === 1) bins[0].open = 'both';
  else {
    bins[0].open = 'below';
    bins.at(-1)!.open = 'above';
  }
  return poolNeighbours(bins, (bin) => bin.rows, mergeTallies);
}

function binsBetween(low: number, high: number, about: number, samples: number): Tally[] {
  const bin = (from: number, to: number): Tally => ({ from, to, rows: Array<number>(samples).fill(0) });
  // equal values, or so close that no round edge lies between
  if (high - low < Math.max(Math.abs(low), Math.abs(high), 1e-3) * 1e-9) return [bin(low, high)];
  const inner = ticks(low, high, about);
  if (inner.length < 2) return [bin(low, high)];
  const step = inner[1] - inner[0];
  const edges = [
    inner[0] > low ? [inner[0] - step] : [],
    inner,
    inner.at(-1)! < high ? [inner.at(-1)! + step] : [],
  ].flat();
  return edges.slice(1).map((to, i) => bin(edges[i], to));
}

function mergeTallies(left: Tally, right: Tally): Tally {
  const ends = [left.open, right.open].filter((open) => open !== undefined);
  return {
    from: left.from,
    to: right.to,
    rows: left.rows.map((rows, s) => rows + right.rows[s]),
    open: ends.length === 2 ? 'both' : ends[0],
  };
}

function tallyLevels(
  samples: readonly Readonly<Record<string, number>>[],
  most: number,
): { label: string; rows: number[] }[] {
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))];
  const total = (rows: readonly number[]) => rows.reduce((sum, count) => sum + count, 0);
  const ranked = names
    .map((name) => ({ label: name, rows: samples.map((sample) => sample[name] ?? 0) }))
    .sort((a, b) => total(b.rows) - total(a.rows) || (a.label < b.label ? -1 : 1));

  const { told, pooled } = partitionLevels(ranked, (level) => level.rows, most);
  if (pooled.length === 0) return told;
  const rows = samples.map((_, s) => pooled.reduce((sum, level) => sum + level.rows[s], 0));
  return [...told, { label: `other (${pooled.length})`, rows }];
}

function shares<Tallied extends { rows: number[] }>(bins: readonly Tallied[]): (Tallied & { share: number[] })[] {
  const totals = [0, 1].map((s) => bins.reduce((sum, bin) => sum + bin.rows[s], 0));
  return bins.map((bin) => ({ ...bin, share: bin.rows.map((rows, s) => (totals[s] === 0 ? 0 : rows / totals[s])) }));
}

function binLabel({ from, to, open }: Tally, unit: Unit): string {
  if (open === 'both') return 'all';
  if (open === 'below') return `< ${quantity(to, unit)}`;
  return open === 'above' ? `≥ ${quantity(from, unit)}` : `${quantity(from, unit)} – ${quantity(to, unit)}`;
}
