import { el } from './svg.ts';
import type { Child, Markup } from './svg.ts';
import { count } from './format.ts';

export type DataTable = {
  /** Columns of numbers are set flush right, in figures of one width. */
  columns: readonly { label: string; numeric?: boolean }[];
  rows: readonly (readonly Child[])[];
};

/** Longer tables would break the size limit of a page; what is left out is said. */
const maximumRows = 60;

/** The style sheet knows that many columns, counted from the left. */
export const mostNumericColumns = 16;

/**
 * A table. On a phone it scrolls sideways by itself, or, where its cells hold sentences (`stacked`), sets the cells of a
 * row below each other.
 */
export function table({ columns, rows }: DataTable, label: string, { stacked = false } = {}): Markup {
  const numeric = columns.flatMap((column, c) => (column.numeric ? [`n${c + 1}`] : []));
  const cell = (content: Child, c: number) =>
    el('td', { 'data-label': stacked && c > 0 && columns[c]?.label }, content);
  const more = rows.length - maximumRows;
  return el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' },
    el(
      'table',
      { class: [...(stacked ? ['stacked'] : []), ...numeric].join(' ') || undefined },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          columns.map((column) => el('th', { scope: 'col' }, column.label)),
        ),
      ),
      el(
        'tbody',
        {},
        rows.slice(0, maximumRows).map((row) => el('tr', {}, row.map(cell))),
      ),
    ),
    more > 0 && el('p', { class: 'note' }, `${count(more)} more rows are in the facts of the run.`),
  );
}
