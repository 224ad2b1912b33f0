import type { Bin, OverlayBin, Sample } from '../facts.ts';
import { partitionLevels, poolNeighbours } from '../small-groups.ts';

type AnyBin = { label: string; from?: number; to?: number };

/** A bin with both its edges, as it is drawn. */
export type Closed<B> = B & { from: number; to: number };

/**
 * Bins of numbers with all their edges: an end that is open is drawn as wide as its neighbour. Undefined where these are
 * levels, or too few edges are known.
 */
export function closedBins<B extends AnyBin>(bins: readonly B[]): Closed<B>[] | undefined {
  const last = bins.length - 1;
  const width = (bin: AnyBin | undefined) => (bin?.to ?? NaN) - (bin?.from ?? NaN);
  const closed = bins.map((bin, b) => ({
    ...bin,
    from: bin.from ?? (b === 0 ? (bin.to ?? NaN) - width(bins[1]) : NaN),
    to: bin.to ?? (b === last ? (bin.from ?? NaN) + width(bins[last - 1]) : NaN),
  }));
  return closed.length > 0 && closed.every(({ from, to }) => to > from) ? closed : undefined;
}

/** Bins of one sample, none of which is about 1 to 10 rows: those are merged with others, whoever made them. */
export function safeBins(bins: readonly Bin[]): Bin[] {
  return withoutSmall(
    bins.filter(({ rows }) => rows >= 0),
    ({ rows }) => [rows],
    (a, b) => ({ ...a, rows: a.rows + b.rows }),
  );
}

/** The same for the shares of two samples. */
export function safeOverlay(bins: readonly OverlayBin[], reference: Sample, analysis: Sample): OverlayBin[] {
  return withoutSmall(
    bins.filter(({ referenceShare, analysisShare }) => referenceShare >= 0 && analysisShare >= 0),
    (bin) => [Math.round(bin.referenceShare * reference.rows), Math.round(bin.analysisShare * analysis.rows)],
    (a, b) => ({
      ...a,
      referenceShare: a.referenceShare + b.referenceShare,
      analysisShare: a.analysisShare + b.analysisShare,
    }),
  );
}

/** Numbers are merged with their neighbours, levels into one "other". */
function withoutSmall<B extends AnyBin>(
  bins: readonly B[],
  counts: (bin: B) => readonly number[],
  sum: (a: B, b: B) => B,
): B[] {
  if (bins.some(({ from, to }) => from !== undefined || to !== undefined)) {
    return poolNeighbours(bins, counts, (left, right) => ({
      ...sum(left, right),
      label: span(left, right),
      to: right.to,
    }));
  }
  const { told, pooled } = partitionLevels(bins, counts);
  return pooled.length === 0 ? told : [...told, { ...pooled.reduce(sum), label: `other (${pooled.length})` }];
}

/** `30 – 35 … 40 – 45`, however many were merged. */
function span(left: AnyBin, right: AnyBin): string {
  return `${left.label.split(' … ')[0]} … ${right.label.split(' … ').at(-1)}`;
}
