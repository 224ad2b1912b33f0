import { describe, expect, test } from 'vitest';
import type { RunFacts } from '../../src/report/facts.ts';
import { renderPage } from '../../src/report/page.ts';
import { elements, parseMarkup, textOf } from './parse-markup.ts';
import type { Element } from './parse-markup.ts';
import { largeFacts, sampleFacts } from './sample-facts.ts';

const facts = sampleFacts();
const page = renderPage(facts);
const all = elements(parseMarkup(page));
const named = (name: string, among: readonly Element[] = all) => among.filter((element) => element.name === name);
const sectionNames = (markup: string) =>
  named('section', elements(parseMarkup(markup))).map((section) => section.attributes['id']);

describe('a page is one file that any browser and any parser reads', () => {
  test('it is well-formed', () => {
    expect(() => parseMarkup(page)).not.toThrow();
  });

  test('it holds no script, no handler and no reference to another place', () => {
    expect(page).not.toMatch(/<script|javascript:|@import|url\((?!#)|https?:|<(img|iframe|link|object|embed)\b/i);
    expect(all.flatMap((element) => Object.keys(element.attributes)).filter((name) => name.startsWith('on'))).toEqual(
      [],
    );
    const references = all
      .flatMap(({ attributes }) => [attributes['href'], attributes['src']])
      .filter((url) => url !== undefined);
    expect(references.filter((url) => !url.startsWith('#'))).toEqual([]);
  });

  test('it forbids by itself what it does not need', () => {
    const policy = named('meta').find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes['content']).toBe("default-src 'none'; style-src 'unsafe-inline'");
  });

  test('ids are unique and whatever refers to one finds it', () => {
    const ids = all.map(({ attributes }) => attributes['id']).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
    const referred = all.flatMap(({ attributes }) => [
      attributes['href']?.slice(1),
      attributes['aria-labelledby'],
      attributes['aria-describedby'],
    ]);
    const painted = [...page.matchAll(/url\(#([\w-]+)\)/g)].map(([, id]) => id);
    const dangling = [...referred, ...painted].filter((id) => id !== undefined && !ids.includes(id));
    expect(dangling).toEqual([]);
  });

  test('the same facts give the same bytes, also after a trip through JSON', () => {
    expect(renderPage(sampleFacts())).toBe(page);
    expect(renderPage(JSON.parse(JSON.stringify(facts)) as RunFacts)).toBe(page);
  });

  test('a run of 96 features, 96 columns, 60 rules and 40 gates stays below 300 KB', () => {
    const large = renderPage(largeFacts());
    expect(() => parseMarkup(large)).not.toThrow();
    expect(Buffer.byteLength(large)).toBeLessThan(300_000);
  });
});

describe('everyone can read a chart', () => {
  const charts = all.filter(({ name, attributes }) => name === 'svg' && attributes['role'] === 'img');

  test('every drawing is an image with a name and a description, or hidden as decoration', () => {
    expect(charts.length).toBeGreaterThan(25);
    for (const chart of charts) {
      const [title, description] = chart.children as Element[];
      expect([title.name, description.name]).toEqual(['title', 'desc']);
      expect(textOf(title)).toMatch(/\S{3}/);
      expect(textOf(description)).toMatch(/\S{3}/);
    }
    const hidden = new Set(all.filter(({ attributes }) => attributes['aria-hidden'] === 'true').flatMap(elements));
    for (const drawing of named('svg')) expect(charts.includes(drawing) || hidden.has(drawing)).toBe(true);
  });

  test('every figure says its verdict and has its numbers behind it', () => {
    const figures = named('figure');
    expect(figures.map(({ attributes }) => attributes['id'])).toEqual([
      'run-graph',
      'reconciliation',
      'model-comparison',
      'test-metrics',
      'calibration-curve',
      'lift',
      'residuals',
      'shap-swarm',
      'shap-bars',
      'case-1',
      'case-2',
      'shadow-scores',
      'paired-improvements',
      'bands',
      'interval-coverage',
      'drift-psi',
      'drift-overlay-1',
      'drift-overlay-2',
      'drift-overlay-3',
      'drift-overlay-4',
      'confusion-periods',
    ]);
    for (const figure of figures) {
      const inside = elements(figure);
      const [heading] = named('h3', inside);
      const drawn = inside.filter(({ name, attributes }) => name === 'svg' && attributes['role'] === 'img');
      expect(drawn.every((chart) => textOf(chart.children[0] as Element) === textOf(heading))).toBe(true);
      const table = named('table', named('details', inside).flatMap(elements));
      expect(named('tr', table.flatMap(elements)).length).toBeGreaterThan(1);
    }
  });

  test('wide charts are drawn once more for a phone', () => {
    for (const figure of named('figure').filter(({ attributes }) => attributes['class'] === 'full')) {
      const boxes = elements(figure)
        .filter(({ attributes }) => attributes['role'] === 'img')
        .map(({ attributes }) => attributes['viewBox'].split(' ')[2]);
      expect(boxes).toEqual(['740', '344']);
    }
  });

  test('all rows of a table have the cells of its head', () => {
    for (const table of named('table')) {
      const [head, ...rows] = named('tr', elements(table)).map((row) => row.children.length);
      for (const cells of rows) expect(cells).toBe(head);
    }
  });

  test('the style sheet answers dark screens, phones and paper', () => {
    const [style] = named('style').map(textOf);
    expect(style).toContain('@media screen and (prefers-color-scheme:dark)');
    expect(style).toContain('@media screen and (max-width:640px)');
    expect(style).toContain('@media print');
  });
});

describe('a page shows what the run has', () => {
  const { run, target } = facts;

  test('a run with nothing but its identity is a page without parts', () => {
    const bare = renderPage({ run });
    expect(sectionNames(bare)).toEqual([]);
    expect(bare).toContain('This run has nothing to report');
  });

  test.each([
    ['machines', 'run'],
    ['quality', 'data'],
    ['models', 'models'],
    ['metrics', 'metrics'],
    ['gates', 'gates'],
    ['calibration', 'calibration'],
    ['residuals', 'calibration'],
    ['explanation', 'explanation'],
    ['promotion', 'promotion'],
    ['predictions', 'predictions'],
    ['drift', 'drift'],
    ['lineage', 'lineage'],
  ] as const)('%s alone makes the part %s', (key, section) => {
    expect(sectionNames(renderPage({ run, target, [key]: facts[key] }))).toEqual([section]);
  });

  test('parts that are there but empty are left out', () => {
    const empty: RunFacts = {
      run,
      machines: [],
      models: { folds: 5, metrics: [], candidates: [] },
      metrics: { rows: 0, set: 'frozen test set', metrics: [] },
      gates: [],
      calibration: { groups: [] },
      residuals: { medianAbsolute: NaN, groups: [] },
      explanation: { rows: 0, baseValue: NaN, features: [] },
      lineage: {},
    };
    expect(sectionNames(renderPage(empty))).toEqual([]);
  });

  test('the summary leads to every part', () => {
    const links = named('nav')
      .flatMap(elements)
      .filter(({ name }) => name === 'a');
    expect(links.map(({ attributes }) => attributes['href'])).toEqual(sectionNames(page).map((id) => `#${id}`));
  });
});

describe('nobody is told apart', () => {
  const { run, target } = facts;
  const few = <Group extends { rows: number }>(groups: readonly Group[]) =>
    groups.map((group) => ({ ...group, rows: 10 }));

  test('groups of ten rows are left out, whoever made them', () => {
    const calibration = { groups: few(facts.calibration!.groups) };
    const residuals = { ...facts.residuals!, groups: few(facts.residuals!.groups) };
    expect(sectionNames(renderPage({ run, target, calibration, residuals }))).toEqual([]);

    const explanation = { ...facts.explanation!, cases: few(facts.explanation!.cases!) };
    const markup = renderPage({ run, target, explanation });
    expect(markup).toContain('id="shap-swarm"');
    expect(markup).not.toMatch(/typical (smoker|person)|id="case-/);
  });

  test('a flag that ten people carry is not counted', () => {
    const predictions = { rows: 500, modelVersion: '1', flags: [{ name: 'review', rows: 10 }] };
    const cells = named('td', elements(parseMarkup(renderPage({ run, target, predictions })))).map(textOf);
    expect(cells).toEqual(['review', '', 'not told', '']);
  });
});

describe('names from outside stay text', () => {
  const hostile = `"><script>alert(1)</script>&<b onload='x'>\u202e\u0000`;
  const text = /"><script>alert\(1\)<\/script>&<b onload='x'>/;

  test('whatever place they stand in', () => {
    const poisoned = JSON.parse(JSON.stringify(facts), (key, value: unknown) =>
      typeof value === 'string' &&
      !['status', 'outcome', 'kind', 'better', 'decision', 'severity', 'direction', 'unit', 'startedAt'].includes(key)
        ? hostile
        : value,
    ) as RunFacts;
    const markup = renderPage(poisoned);
    const parsed = elements(parseMarkup(markup));
    expect(named('script', parsed)).toEqual([]);
    expect(named('b', parsed)).toHaveLength(1);
    expect(parsed.filter(({ attributes }) => 'onload' in attributes)).toEqual([]);
    expect(textOf(named('h1', parsed)[0])).toMatch(text);
    expect(markup).not.toContain('\u202e');
    expect(markup).not.toContain('\u0000');
  });
});
