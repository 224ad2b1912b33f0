import { label } from '../axis.ts';
import type { Frame } from '../figure.ts';
import { fit, textWidth } from '../format.ts';
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
  words(row: number, value: string, style?: 'strong' | 'muted'): Markup;
};

export type RowsOptions = {
  names: readonly string[];
  /** Room for values beside the plot, in a wide frame. */
  valueWidth?: number;
  rowHeight?: number;
  /** Room above the first row. */
  top?: number;
  /** Room before the name, for a mark. */
  indent?: number;
};

/** Bold letters of 12 pixels are about as wide as plain ones of 13. */
const boldPixels = 13;

/** Divides a frame into rows. The height of the drawing is `bottom` plus what the caller puts below. */
export function rowsIn(frame: Frame, options: RowsOptions): Rows {
  const { names, valueWidth = 170, rowHeight = 34, top = 4, indent = 0 } = options;
  const wide = frame.name === 'wide';
  const height = wide ? rowHeight : rowHeight + 16;
  const y = (row: number) => top + (row + 1) * height - rowHeight / 2;
  const textY = (row: number) => (wide ? y(row) + 4 : y(row) - rowHeight / 2 - 1);

  // names get the room that the longest needs, up to a third of the frame
  const nameWidth = Math.min(
    Math.max(110, ...names.map((name) => textWidth(name, boldPixels) + 20)),
    frame.width / 3 - indent,
  );
  return {
    left: wide ? indent + nameWidth : 8,
    right: wide ? frame.width - valueWidth : frame.width - 8,
    top,
    bottom: top + names.length * height,
    y,
    textY,
    words(row, value, style) {
      // in a narrow frame the value takes what it needs and the name what is left
      const room = wide ? nameWidth - 14 : frame.width - textWidth(value) - 14 - indent;
      const name = fit(names[row], room, style === 'strong' ? boldPixels : undefined);
      return fragment(
        el(
          'text',
          { x: indent, y: textY(row), class: style },
          name,
          name !== names[row] && el('title', {}, names[row]),
        ),
        label(frame.width, textY(row), value, { anchor: 'end', class: style === 'muted' ? 'muted n' : 'n' }),
      );
    },
  };
}
