import { confusionHeadline, confusionPeriods } from '../charts/confusion-periods.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import { lead } from '../section.ts';
import type { Section } from '../section.ts';
import { minimumGroupRows } from '../small-groups.ts';

/** What was decided before anybody knew, and what became of it, from month to month. */
export function confusion({ confusion }: RunFacts): Section | undefined {
  if (!confusion) return undefined;
  const headline = confusionHeadline(confusion);
  const isTold = confusion.periods.some(({ rows }) => rows >= minimumGroupRows);
  return {
    id: 'confusion',
    name: 'Decisions and truth',
    headline,
    body: [isTold ? renderFigure(confusionPeriods(confusion), 'confusion-periods') : lead(headline.sentence)],
  };
}
