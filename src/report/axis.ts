import type { Unit } from './facts.ts';
import { el } from './svg.ts';
import type { Child, Markup } from './svg.ts';
import { ticks } from './scale.ts';
import type { Scale } from './scale.ts';

export type TextOptions = { anchor?: 'start' | 'middle' | 'end'; class?: string };

/** A text of a chart, its baseline at y. */
export function label(
  x: number,
  y: number,
  content: Child,
  { anchor = 'start', class: name }: TextOptions = {},
): Markup {
  return el('text', { x, y, 'text-anchor': anchor !== 'start' && anchor, class: name }, content);
}

/** Vertical grid lines from `top` to `bottom`, their values below, and the caption of the axis under them. */
export function bottomAxis(
  scale: Scale,
  {
    top,
    bottom,
    unit,
    caption,
    about = 5,
  }: { top: number; bottom: number; unit: Unit; caption?: string; about?: number },
): Markup {
  const [left, right] = scale.range();
  return el(
    'g',
    { class: 'axis' },
    ticks(scale, about, unit).map((mark) => [
      el('line', { x1: mark.at, x2: mark.at, y1: top, y2: bottom + 4 }),
      label(mark.at, bottom + 16, mark.label, { anchor: anchorNear(mark.at, left, right) }),
    ]),
    caption !== undefined && label((left + right) / 2, bottom + 33, caption, { anchor: 'middle' }),
  );
}

/** Horizontal grid lines from `left` to `right`, their values left of them. */
export function leftAxis(
  scale: Scale,
  { left, right, unit, about = 5 }: { left: number; right: number; unit: Unit; about?: number },
): Markup {
  return el(
    'g',
    { class: 'axis' },
    ticks(scale, about, unit).map((mark) => [
      el('line', { x1: left, x2: right, y1: mark.at, y2: mark.at }),
      label(left - 6, mark.at + 4, mark.label, { anchor: 'end' }),
    ]),
  );
}

/** Labels at the ends of an axis stay inside it. */
function anchorNear(at: number, left: number, right: number): 'start' | 'middle' | 'end' {
  if (at - left < 12) return 'start';
  return right - at < 12 ? 'end' : 'middle';
}
