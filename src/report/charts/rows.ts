import { label } from '../axis.ts';
import type { Frame } from '../figure.ts';
import { fit } from '../format.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';

/** A chart of one row per thing: a name, a plot between `left` and `right`, and a value in words. */
export type Rows = {
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** The middle line of a row's plot. */
  y(row: number): number;
  /** The base line of a row's words. */
  textY(row: number): number;
  /** Name and value of a row; beside the plot in a wide frame, above it in a narrow one. */
  words(row: number, name: string, value: string, style?: 'strong' | 'muted'): Markup;
};

export type RowsOptions = {
  count: number;
  /** Room for names and values beside the plot, in a wide frame. */
  nameWidth?: number;
  valueWidth?: number;
  rowHeight?: number;
  /** Room above the first row. */
  top?: number;
  /** Room before the name, for a mark. */
  indent?: number;
};

/** Divides a frame into rows. The height of the drawing is `bottom` plus what the caller puts below. */
export function rowsIn(frame: Frame, options: RowsOptions): Rows {
  const { count, nameWidth = 170, valueWidth = 170, rowHeight = 34, top = 4, indent = 0 } = options;
  const wide = frame.name === 'wide';
  const height = wide ? rowHeight : rowHeight + 16;
  const y = (row: number) => top + (row + 1) * height - rowHeight / 2;
  const textY = (row: number) => (wide ? y(row) + 4 : y(row) - rowHeight / 2 - 1);
  return {
    left: wide ? nameWidth : 8,
    right: wide ? frame.width - valueWidth : frame.width - 8,
    top,
    bottom: top + count * height,
    y,
    textY,
    words(row, name, value, style) {
      // in a narrow frame the value takes what it needs and the name what is left
      const room = wide ? nameWidth - 14 - indent : frame.width - value.length * 6.8 - 14 - indent;
      const shown = fit(name, room);
      return fragment(
        el('text', { x: indent, y: textY(row), class: style }, shown, shown !== name && el('title', {}, name)),
        label(frame.width, textY(row), value, { anchor: 'end', class: style === 'muted' ? 'muted n' : 'n' }),
      );
    },
  };
}
