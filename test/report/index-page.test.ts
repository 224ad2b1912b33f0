import { describe, expect, test } from 'vitest';
import { indexEntry, renderIndex } from '../../src/report/index-page.ts';
import type { RunEntry } from '../../src/report/index-page.ts';
import { elements, parseMarkup, textOf } from './parse-markup.ts';
import { sampleFacts } from './sample-facts.ts';

const entry = (id: string, startedAt: string, useCase = 'insurance-cost'): RunEntry => ({
  id,
  useCase,
  startedAt,
  status: 'passed',
  sentence: `verdict of ${id}`,
  path: `runs/${id}.html`,
});
const links = (markup: string) =>
  elements(parseMarkup(markup))
    .filter(({ name }) => name === 'a')
    .map((link) => [textOf(link), link.attributes['href']]);

describe('the index of runs', () => {
  test('an entry says what the page says', () => {
    expect(indexEntry(sampleFacts(), 'runs/a.html')).toEqual({
      id: '2026-03-01T02-00-00Z-7f3ac1',
      useCase: 'insurance-cost',
      startedAt: '2026-03-01T02:00:04.311Z',
      tookSeconds: 21.6,
      status: 'passed',
      sentence: 'v4 (gradient boosting) promoted: it replaces v3 (random forest) as champion',
      path: 'runs/a.html',
    });
  });

  test('lists the newest run first, by use case', () => {
    const runs = [
      entry('a', '2026-01-01T00:00:00Z'),
      entry('b', '2026-02-01T00:00:00Z', 'claim-decision'),
      entry('c', '2026-03-01T00:00:00Z'),
    ];
    expect(links(renderIndex(runs))).toEqual([
      ['verdict of b', 'runs/b.html'],
      ['verdict of c', 'runs/c.html'],
      ['verdict of a', 'runs/a.html'],
    ]);
    expect(renderIndex([...runs].reverse())).toBe(renderIndex(runs));
  });

  test('stays small however many runs there are', () => {
    const many = Array.from({ length: 3000 }, (_, i) =>
      entry(`run-${String(i).padStart(4, '0')}`, `2026-01-01T00:00:00Z`),
    );
    const markup = renderIndex(many);
    expect(Buffer.byteLength(markup)).toBeLessThan(100_000);
    expect(markup).toContain('2,940 older runs are not listed; their pages remain.');
  });

  test('is a page without any run', () => {
    expect(textOf(parseMarkup(renderIndex([])))).toContain('No run yet.');
  });

  test.each(['../secret.html', '/etc/passwd', 'https://example.org/', 'javascript:alert(1)', 'a/../../b.html'])(
    'never links to %s',
    (path) => {
      expect(() => renderIndex([{ ...entry('a', '2026-01-01T00:00:00Z'), path }])).toThrow('not relative to the index');
    },
  );

  test('writes odd file names as a browser needs them', () => {
    const [[, href]] = links(renderIndex([{ ...entry('a', '2026-01-01T00:00:00Z'), path: 'runs/März "1"#.html' }]));
    expect(href).toBe('runs/M%C3%A4rz%20%221%22%23.html');
  });
});
