import { upliftHeadline, upliftStrips } from '../charts/uplift.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import { counted, instant } from '../format.ts';
import type { Section } from '../section.ts';
import { el } from '../svg.ts';

/** What being contacted changes: members whom offers were sent to, against those who were held out. */
export function uplift({ uplift: measured }: RunFacts): Section | undefined {
  if (!measured) return undefined;
  const { withinDays, firstSentAt, lastSentAt } = measured;
  const [first, last] = [firstSentAt, lastSentAt].map(instant);
  return {
    id: 'uplift',
    name: 'What contacts change',
    headline: upliftHeadline(measured),
    body: [
      renderFigure(upliftStrips(measured), 'uplift-strips'),
      el(
        'p',
        { class: 'note' },
        `Of what was recommended ${first === last ? `on ${first}` : `from ${first} to ${last}`}, with ${counted(withinDays, 'day')} to respond. All offers together count a member once: who responded to any of theirs has responded. In the holdout a response is what members did by themselves; contacted ones may have done so too, and it counts for both.`,
      ),
    ],
  };
}
