import type { Fairness, RunFacts } from '../facts.ts';
import { count, estimate, listed, quantity } from '../format.ts';
import { lead, tableHeading } from '../section.ts';
import type { Section } from '../section.ts';
import { fragment } from '../svg.ts';
import { table } from '../table.ts';

/** How groups of people fare: selection, level and errors by group, with intervals, and how far they lie apart. */
export function fairness({ fairness: assessed }: RunFacts): Section | undefined {
  if (!assessed || assessed.length === 0) return undefined;
  const sentence = sentenceOf(assessed);
  return {
    id: 'fairness',
    name: 'Fairness',
    headline: { status: 'notice', sentence },
    body: [lead(sentence), assessed.map(groupTable)],
  };
}

/** Where the groups lie furthest apart; what is acceptable is for the gates to say. */
function sentenceOf(assessed: readonly Fairness[]): string {
  const compared = assessed.filter(({ selection }) => selection !== undefined);
  if (compared.length === 0) return 'No two groups are large enough to be compared';
  const widest = compared.reduce((most, other) =>
    other.selection!.difference.value > most.selection!.difference.value ? other : most,
  );
  return `Selection differs most over ${widest.feature}: by ${quantity(widest.selection!.difference.value, 'share')}, a ratio of ${quantity(widest.selection!.ratio.value, '')}`;
}

function groupTable({ feature, groups, suppressed, selection, oddsDifference, groupMeanVariation }: Fairness) {
  const content = {
    columns: [
      { label: feature },
      { label: 'Rows', numeric: true },
      { label: 'Selected', numeric: true },
      { label: 'Actual / expected', numeric: true },
      { label: 'Error', numeric: true },
    ],
    rows: groups.map(({ group, rows, selectionRate, actualToExpected, error }) => [
      group,
      count(rows),
      estimate(selectionRate, 'share'),
      estimate(actualToExpected, ''),
      estimate(error, ''),
    ]),
  };
  const gaps = [
    selection && `difference of the selection rates ${estimate(selection.difference, 'share')}`,
    selection && `their ratio ${estimate(selection.ratio, '')}`,
    oddsDifference && `difference of the odds ${estimate(oddsDifference, 'share')}`,
    `variation of the mean predictions ${quantity(groupMeanVariation, '')}`,
  ].filter((text) => text !== undefined);
  const small = suppressed.length > 0 ? ` Too small to judge: ${listed(suppressed)}.` : '';
  return fragment(
    tableHeading(`By ${feature}`),
    table(content, `Fairness by ${feature}`),
    lead(`Between the groups: ${listed(gaps)}.${small}`),
  );
}
