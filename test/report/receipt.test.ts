import { describe, expect, test } from 'vitest';
import type { DropReceipt } from '../../src/report/facts.ts';
import { renderPage } from '../../src/report/page.ts';
import { receiptFacts } from '../../src/stages/common/receipt.ts';
import { elements, parseMarkup, textOf } from './parse-markup.ts';
import { sampleFacts } from './sample-facts.ts';

const receipt: DropReceipt = {
  name: 'january.manifest.json',
  status: 'accepted',
  reason: '',
  arrivedAt: '2026-01-05T09:00:00.000Z',
  files: [
    { name: 'a.csv', sha256: 'ab'.repeat(32), sizeBytes: 1234 },
    { name: 'b.csv', sha256: 'cd'.repeat(32), sizeBytes: 99 },
  ],
  totals: [{ column: 'charges', dropped: '351.61', accepted: '300.31', quarantined: '51.30', unreadableRows: 1 }],
};

const sectionOf = (facts: Parameters<typeof renderPage>[0]): string => {
  const found = elements(parseMarkup(renderPage(facts))).find(
    ({ name, attributes }) => name === 'section' && attributes['id'] === 'receipt',
  );
  return found ? textOf(found) : '';
};

describe('the receipt on the page of a drop’s run', () => {
  test('says what came, when, and what it adds up to', () => {
    const text = sectionOf({ ...sampleFacts(), receipt });
    for (const told of [
      'january.manifest.json',
      '2 files',
      'a.csv',
      '1,234',
      'ab'.repeat(32),
      '351.61',
      '300.31',
      '51.30',
    ])
      expect(text).toContain(told);
  });

  test('says why nothing was added', () => {
    const reason = 'a.csv brought the same content before (run drop-1): nothing was added.';
    const repeated = { ...receipt, status: 'repeated', reason, totals: [] } as const;
    expect(sectionOf({ ...sampleFacts(), receipt: repeated })).toContain(reason);
  });

  test('says what came late, and by how much', () => {
    const late = { rows: 1240, oldestDays: 44, beyond: 1 };
    expect(sectionOf({ ...sampleFacts(), receipt: { ...receipt, late } })).toContain(
      '1,240 rows came late, the oldest by 44 days; 1 row is from before the look-back.',
    );
  });

  test('a run without a drop has none', () => {
    expect(sectionOf(sampleFacts())).toBe('');
  });
});

test('totals of fewer than eleven rows, kept or not, are not for the page', () => {
  const shown = (accepted: number, quarantined: number) =>
    receiptFacts({
      ...receipt,
      totals: [...receipt.totals],
      files: [...receipt.files],
      receipt: 1,
      useCase: 'u',
      source: 's',
      contract: { id: 'c', version: '1' },
      rows: { dropped: accepted + quarantined, accepted, quarantined, rejected: 0 },
      broken: [],
    }).totals.length;
  expect([shown(11, 0), shown(11, 11), shown(100, 10), shown(10, 0), shown(10, 200)]).toEqual([1, 1, 0, 0, 0]);
});
