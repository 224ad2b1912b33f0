import { el } from './svg.ts';
import type { Child, Markup } from './svg.ts';
import { statusMark } from './status.ts';
import type { Headline } from './status.ts';

/** A part of the page. Its headline also stands in the summary at the top. */
export type Section = { id: string; name: string; headline: Headline; body: Child };

/** Sets a part: its name in the margin, its charts and tables beside. */
export function renderSection({ id, name, headline, body }: Section): Markup {
  return el(
    'section',
    { id, 'aria-labelledby': `${id}-name` },
    el('h2', { id: `${id}-name` }, statusMark(headline.status), name),
    el('div', { class: 'body' }, body),
  );
}

/** The headline as an opening paragraph, for parts that no chart opens with the same sentence. */
export function lead(sentence: string): Markup {
  return el('p', { class: 'lead' }, sentence);
}

/** A heading over a table that stands open. */
export function tableHeading(text: string): Markup {
  return el('h3', { class: 'quiet' }, text);
}
