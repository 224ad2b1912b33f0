import { decimal, el, fragment } from './svg.ts';
import type { Markup } from './svg.ts';

/** How a part of a run turned out. `notice` is news without a judgement. Each has a shape of its own besides its colour. */
export type Status = 'passed' | 'notice' | 'warned' | 'failed' | 'skipped';

/** What a part of the page says in one line: the same words are its title and its entry in the summary. */
export type Headline = { status: Status; sentence: string };

const words: Record<Status, string> = {
  passed: 'Passed',
  notice: 'Note',
  warned: 'Warning',
  failed: 'Problem',
  skipped: 'Not run',
};

/** The mark of a status for running text, with its word for those who do not see it. */
export function statusMark(status: Status): Markup {
  const sign = el('svg', { class: `mark ${status}`, viewBox: '-9 -9 18 18', 'aria-hidden': 'true' }, use(status));
  return fragment(sign, el('span', { class: 'sr' }, `${words[status]}: `));
}

/** The same mark inside a chart, about 16 pixels wide around (x, y). */
export function statusShape(status: Status, x: number, y: number): Markup {
  return el('g', { transform: `translate(${decimal(x)} ${decimal(y)})`, class: status }, use(status));
}

/** The shapes that marks refer to; a page holds them once. */
export function statusSymbols(): Markup {
  const symbol = (status: Status, ...shapes: Markup[]) => el('g', { id: `status-${status}` }, ...shapes);
  return fragment(
    symbol(
      'passed',
      el('circle', { r: 8, class: 'face' }),
      el('path', { d: 'M-3.6 .2L-1 2.9L3.8-2.7', class: 'sign' }),
    ),
    symbol('notice', el('circle', { r: 7, class: 'ring' }), el('circle', { r: 2.6, class: 'face' })),
    symbol(
      'warned',
      el('path', { d: 'M0-8L8.6 7.2H-8.6z', class: 'face' }),
      el('path', { d: 'M0-3V1.8M0 4.6V4.7', class: 'sign' }),
    ),
    symbol(
      'failed',
      el('rect', { x: -7.5, y: -7.5, width: 15, height: 15, rx: 2, class: 'face' }),
      el('path', { d: 'M-3.2-3.2L3.2 3.2M3.2-3.2L-3.2 3.2', class: 'sign' }),
    ),
    symbol('skipped', el('circle', { r: 7, class: 'ring dashed' })),
  );
}

function use(status: Status): Markup {
  return el('use', { href: `#status-${status}` });
}
