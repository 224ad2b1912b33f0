import type { Estimate, Unit } from '../facts.ts';
import { label } from '../axis.ts';
import type { Drawing, Frame } from '../figure.ts';
import { known, textWidth } from '../format.ts';
import { spanning } from '../scale.ts';
import { statusShape } from '../status.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { inside, markAt, whisker } from './marks.ts';
import type { Shape } from './marks.ts';
import { rowsIn } from './rows.ts';

/** One estimate against lines that mean something. */
export type Strip = {
  name: string;
  unit: Unit;
  /** The estimate in words. */
  value: string;
  estimate: Estimate;
  /** The verdict on it, where there is one. */
  met?: boolean;
  /** Where the estimate should lie: at least, or at most. */
  wanted?: { from?: number; to?: number; text: string };
  /** A line to compare with, such as no difference. */
  neutral?: { at: number; /** Empty where the legend says it. */ text: string };
  others?: readonly { at: number; shape: Shape }[];
};

/** Strips below each other, each on a scale of its own unless all are said to share one. */
export function drawStrips(
  strips: readonly Strip[],
  frame: Frame,
  { oneScale = false }: { oneScale?: boolean } = {},
): Drawing {
  const shared = oneScale ? strips.flatMap(domain) : undefined;
  const judged = strips.some((strip) => strip.met !== undefined);
  const rows = rowsIn(frame, {
    names: strips.map(({ name }) => name),
    rowHeight: frame.name === 'wide' ? 58 : 66,
    indent: judged ? 24 : 0,
    valueWidth: Math.max(190, ...strips.map(({ value }) => textWidth(value) + 20)),
  });
  return {
    height: rows.bottom,
    marks: strips.map((strip, r) => [
      strip.met !== undefined && statusShape(strip.met ? 'passed' : 'failed', 9, rows.textY(r) - 4),
      rows.words(r, strip.value, 'strong'),
      drawStrip(strip, { ends: [rows.left, rows.right], y: rows.y(r), domain: shared ?? domain(strip) }),
    ]),
  };
}

type Place = { ends: readonly [number, number]; y: number; domain: readonly number[] };

function drawStrip(strip: Strip, { ends: [left, right], y, domain }: Place): Markup {
  const { estimate, wanted, neutral, others = [] } = strip;
  const limit = limitOf(strip);
  const scale = spanning(domain, [left + 14, right - 14], 0.08);
  return fragment(
    el('line', { x1: left, x2: right, y1: y, y2: y, class: 'line rule' }),
    known(limit) && wantedSide(inside(scale, limit), wanted!, [left, right], y),
    neutral && known(neutral.at) && neutralLine(inside(scale, neutral.at), neutral.text, [left, right], y),
    others.map((other, i) => markAt(scale, other.at, y, other.shape, 'muted', i)),
    whisker(scale, estimate.low, estimate.high, y, 'thick blue'),
    markAt(scale, estimate.value, y, 'dot', 'blue'),
  );
}

/** The limit, and a tint over the side of it where the estimate should lie. */
function wantedSide(
  at: number,
  { from, text }: NonNullable<Strip['wanted']>,
  [left, right]: readonly [number, number],
  y: number,
): Markup {
  const [start, end] = from === undefined ? [left, at] : [at, right];
  return fragment(
    el('rect', { x: start, y: y - 9, width: Math.max(0, end - start), height: 18, class: 'wanted' }),
    el('line', { x1: at, x2: at, y1: y - 12, y2: y + 12, class: 'line limit' }),
    label(at, y - 16, text, { anchor: anchorAt(at, left, right), class: 'small' }),
  );
}

function neutralLine(at: number, text: string, [left, right]: readonly [number, number], y: number): Markup {
  return fragment(
    el('line', { x1: at, x2: at, y1: y - 10, y2: y + 10, class: 'line quiet' }),
    text !== '' && label(at, y + 23, text, { anchor: anchorAt(at, left, right), class: 'small muted' }),
  );
}

const limitOf = ({ wanted }: Strip): number | undefined => wanted?.from ?? wanted?.to;

/** Other values widen the scale only where the estimate stays readable; else they stand at its edge. */
function domain(strip: Strip): number[] {
  const { estimate, neutral, others = [] } = strip;
  const own = [estimate.low, estimate.value, estimate.high, limitOf(strip), neutral?.at].filter(known);
  const span = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const all = [...own, ...others.map((other) => other.at).filter(known)];
  return span(all) > 4 * span(own) ? own : all;
}

function anchorAt(x: number, left: number, right: number): 'start' | 'middle' | 'end' {
  if (x - left < 40) return 'start';
  return right - x < 40 ? 'end' : 'middle';
}
