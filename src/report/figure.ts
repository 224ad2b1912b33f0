import { el, fragment } from './svg.ts';
import type { Child, Markup } from './svg.ts';
import { table } from './table.ts';
import type { DataTable } from './table.ts';

/** Room for a drawing: `wide` is the text column of a desktop or a printed page, `narrow` a phone or half that column. */
export type Frame = { name: 'wide' | 'narrow'; width: number };

export type Drawing = { height: number; marks: Child };

/** A chart before it is set on a page: what it says, how to read it, how to draw it in the room there is, its numbers. */
export type Figure = {
  /** A sentence with the verdict. */
  title: string;
  /** For those who do not see it: what is drawn against what, and what it shows. */
  description: string;
  /** A half figure is drawn for the narrow frame only, and stands beside another one where there is room. */
  span: 'full' | 'half';
  legend?: readonly LegendItem[];
  /** Caveats in small print. */
  note?: string;
  draw: (frame: Frame) => Drawing;
  table: DataTable;
};

/** `sample` is drawn in a box of 24 by 12 around its origin. */
export type LegendItem = { sample: Markup; text: string };

const wide: Frame = { name: 'wide', width: 740 };
const narrow: Frame = { name: 'narrow', width: 344 };

/** Sets a chart: title, legend, drawing for both widths, note, and the table behind it. `id` is unique on its page. */
export function renderFigure(figure: Figure, id: string): Markup {
  const drawings =
    figure.span === 'half'
      ? svg(figure, narrow, id)
      : fragment(
          el('div', { class: 'wide' }, svg(figure, wide, `${id}-w`)),
          el('div', { class: 'narrow' }, svg(figure, narrow, `${id}-n`)),
        );
  return el(
    'figure',
    { id, class: figure.span },
    el('h3', {}, figure.title),
    figure.legend && el('ul', { class: 'legend', 'aria-hidden': 'true' }, figure.legend.map(legendItem)),
    drawings,
    figure.note !== undefined && el('figcaption', {}, figure.note),
    el('details', {}, el('summary', {}, 'Show the data'), table(figure.table, `Data: ${figure.title}`)),
  );
}

/** A group of figures that stand in pairs where the page is wide enough. */
export function figureGrid(figures: readonly Markup[]): Markup {
  return el('div', { class: 'pairs' }, figures);
}

/** The drawing alone, with its accessible name and description. */
function svg(figure: Figure, frame: Frame, id: string): Markup {
  const { height, marks } = figure.draw(frame);
  return el(
    'svg',
    {
      role: 'img',
      class: 'chart',
      viewBox: `0 0 ${frame.width} ${Math.ceil(height)}`,
      'aria-labelledby': `${id}-t`,
      'aria-describedby': `${id}-d`,
    },
    el('title', { id: `${id}-t` }, figure.title),
    el('desc', { id: `${id}-d` }, figure.description),
    marks,
  );
}

function legendItem({ sample, text }: LegendItem): Markup {
  return el('li', {}, el('svg', { class: 'chart', width: 24, height: 12, viewBox: '-12 -6 24 12' }, sample), text);
}
