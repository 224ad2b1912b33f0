import { monthBounds } from '../../synthetic-csv.ts';

export const dayMs = 86_400_000;

/** What a delivery covers: the first one all that was known by its end, a later one what became known in its month. */
export type Delivery = {
  month: string;
  monthsAfter: number;
  /** The end of the first delivery: the "now" of the draws. */
  nowMs: number;
  /** Records that arrived before `startMs` were delivered earlier; those from `endMs` on will be later. */
  startMs: number;
  endMs: number;
  /** The ends of the months whose rosters and benefit statements are in it, ascending. */
  monthEndsMs: number[];
};

/** `monthsAfter` is 0 for the first delivery. Throws `RangeError` for a month that is none. */
export function deliveryOf({
  month,
  monthsAfter,
  history,
}: {
  month: string;
  monthsAfter: number;
  history: number;
}): Delivery {
  const [startMs, endMs] = monthBounds(month);
  const isFirst = monthsAfter === 0;
  return {
    month,
    monthsAfter,
    nowMs: addMonths(endMs, -monthsAfter),
    startMs: isFirst ? -Infinity : startMs,
    endMs,
    monthEndsMs: isFirst ? Array.from({ length: history }, (_, i) => addMonths(endMs, i + 1 - history)) : [endMs],
  };
}

/** A stretch of time in which events are drawn: the draws' own, the time before it, or a month after it. */
export type Stretch = { label: string; startMs: number; endMs: number };

/**
 * The stretches that a delivery may have records of: `days` until now, as far before them as the first roster needs, and each
 * month since.
 */
export function stretchesOf({ nowMs, monthsAfter, monthEndsMs }: Delivery, days: number): Stretch[] {
  const startMs = nowMs - days * dayMs;
  const reachMs = Math.max(0, nowMs - monthEndsMs[0]);
  const stretches = [{ label: '0', startMs, endMs: nowMs }];
  if (reachMs > 0) stretches.push({ label: 'before', startMs: startMs - reachMs, endMs: startMs });
  for (let k = 1; k <= monthsAfter; k++) {
    stretches.push({ label: String(k), startMs: addMonths(nowMs, k - 1), endMs: addMonths(nowMs, k) });
  }
  return stretches;
}

/** The month start so many months after one. */
export function addMonths(monthStartMs: number, months: number): number {
  const start = new Date(monthStartMs);
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months);
}
