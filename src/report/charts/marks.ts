import { known } from '../format.ts';
import type { Scale } from '../scale.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';

/** Shapes that tell series apart without colour. `style` is the class that colours them. */
export type Shape = 'dot' | 'ring' | 'diamond' | 'square' | 'triangle';

/** A mark about 9 pixels wide around (x, y). */
export function mark(shape: Shape, x: number, y: number, style: string): Markup {
  if (shape === 'dot') return el('circle', { cx: x, cy: y, r: 4.5, class: `fill ${style}` });
  if (shape === 'ring') return el('circle', { cx: x, cy: y, r: 4, class: `hollow ${style}` });
  if (shape === 'diamond') return el('path', { d: path(x, y, 'm0-6.5l6 6.5l-6 6.5l-6-6.5z'), class: `fill ${style}` });
  if (shape === 'square') return el('rect', { x: x - 4, y: y - 4, width: 8, height: 8, class: `hollow ${style}` });
  return el('path', { d: path(x, y, 'm0-5.5l5.5 9.5h-11z'), class: `hollow ${style}` });
}

/** A bar from x to the right, nothing where its width is missing or below zero. */
export function bar(x: number, y: number, width: number, height: number, style: string): Markup {
  return known(width) && width > 0 ? el('rect', { x, y, width, height, class: style }) : fragment();
}

/** The sample of a bar in a legend. */
export function swatch(style: string): Markup {
  return bar(-10, -5, 20, 10, style);
}

/** A confidence interval: a line with small ends. Nothing where either end is missing. */
export function whisker(scale: Scale, low: number, high: number, y: number, style: string): Markup {
  if (!known(low) || !known(high)) return fragment();
  const [from, to] = [inside(scale, low), inside(scale, high)];
  const d = `M${round(from)} ${round(y)}H${round(to)}M${round(from)} ${round(y - 4)}v8M${round(to)} ${round(y - 4)}v8`;
  return el('path', { d, class: `line ${style}` });
}

/** The same, upright. */
export function uprightWhisker(scale: Scale, low: number, high: number, x: number, style: string): Markup {
  if (!known(low) || !known(high)) return fragment();
  const [from, to] = [inside(scale, low), inside(scale, high)];
  const d = `M${round(x)} ${round(from)}V${round(to)}M${round(x - 4)} ${round(from)}h8M${round(x - 4)} ${round(to)}h8`;
  return el('path', { d, class: `line ${style}` });
}

/**
 * A mark at a value; one that lies outside the scale stands at its end, with an arrow that says so, `place` marks inward,
 * so that several there stay apart. Nothing where the value is missing.
 */
export function markAt(scale: Scale, value: number, y: number, shape: Shape, style: string, place = 0): Markup {
  if (!known(value)) return fragment();
  const [left, right] = scale.range();
  const x = scale(value);
  const edge = 8 + 13 * place;
  if (x < left - 0.5)
    return fragment(
      mark(shape, left + edge, y, style),
      el('path', { d: path(left - 2, y, 'h-5m3-3l-3 3l3 3'), class: `line ${style}` }),
    );
  if (x > right + 0.5)
    return fragment(
      mark(shape, right - edge, y, style),
      el('path', { d: path(right + 2, y, 'h5m-3-3l3 3l-3 3'), class: `line ${style}` }),
    );
  return mark(shape, x, y, style);
}

/** A position on the scale, held within its range. */
export function inside(scale: Scale, value: number): number {
  const [a, b] = scale.range();
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), scale(value)));
}

/** One decimal: a tenth of a pixel is finer than any screen. */
export function round(value: number): number {
  return Math.round(value * 10) / 10 + 0;
}

/** A path of relative steps from (x, y). */
function path(x: number, y: number, steps: string): string {
  return `M${round(x)} ${round(y)}${steps}`;
}
