import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import type { Explanation, RunFacts } from '../../src/report/facts.ts';
import { renderPage } from '../../src/report/page.ts';
import { elements, parseMarkup, textOf } from './parse-markup.ts';
import type { Element } from './parse-markup.ts';
import { sampleFacts } from './sample-facts.ts';

const full = sampleFacts();
const { run, target } = full;

/** All elements of a page, after a look at whether each attribute can be drawn. */
function drawn(facts: RunFacts): Element[] {
  const all = elements(parseMarkup(renderPage(facts)));
  const attributes = all.flatMap(({ name, attributes }) =>
    Object.entries(attributes).map(([attribute, value]) => ({
      place: `<${name} ${attribute}="${value}">`,
      attribute,
      value,
    })),
  );
  const geometry = attributes.filter(({ attribute }) => !/^(aria-|data-|class|id|content)/.test(attribute));
  expect(geometry.filter(({ value }) => /NaN|Infinity|undefined|null/.test(value)).map(({ place }) => place)).toEqual(
    [],
  );
  const sizes = attributes.filter(({ attribute }) => /^(width|height|r)$/.test(attribute));
  expect(sizes.filter(({ value }) => !(Number(value) >= 0)).map(({ place }) => place)).toEqual([]);
  return all;
}

const headings = (facts: RunFacts) =>
  drawn(facts)
    .filter(({ name }) => name === 'h3')
    .map(textOf);

describe('little data', () => {
  test('one fold and one candidate', () => {
    const [candidate] = full.models!.candidates;
    const one = { ...candidate, scores: candidate.scores.map((score) => ({ ...score, foldValues: [0.84] })) };
    const [heading] = headings({ run, models: { ...full.models!, folds: 1, candidates: [one] } });
    expect(heading).toBe('Gradient boosting chosen: R² 0.842 (0.826 – 0.856) on training rows kept aside');
  });

  test('no champion yet', () => {
    const { champion: _, improvements: __, ...first } = full.promotion!;
    const all = drawn({ run, promotion: first });
    expect(all.filter(({ name }) => name === 'figure')).toEqual([]);
    expect(textOf(all[0])).toContain('v4 (gradient boosting) promoted: the first champion');
  });

  test('a single feature without order, equal in all rows', () => {
    const explanation: Explanation = {
      rows: 40,
      baseValue: 5,
      features: [{ name: 'region', meanAbsolute: 0, marks: [[0, null]] }],
      cases: [{ group: 'row', rows: 40, prediction: 5, contributions: [{ feature: 'region', contribution: 0 }] }],
    };
    expect(headings({ run, target, explanation })[0]).toBe('No feature moves the prediction');
  });

  test('nothing accepted', () => {
    const quality = { droppedRows: 0, acceptedRows: 0, quarantinedRows: 0, rejectedRows: 0, sources: [], rules: [] };
    expect(headings({ run, quality })).toEqual(['The drop was empty']);
  });

  test('no row scored', () => {
    const predictions = {
      rows: 0,
      modelVersion: '1',
      bands: [{ name: 'low', rows: 0 }],
      flags: [{ name: 'review', rows: 0 }],
    };
    expect(headings({ run, target, predictions })).toEqual(['0 predictions by band and flag']);
  });
});

describe('data that is all the same', () => {
  test('no drift at all', () => {
    const features = full.drift!.features.map((feature) => ({
      ...feature,
      psi: 0,
      severity: 'stable' as const,
      direction: 'none' as const,
      effect: { name: 'mean', unit: 'years', reference: 45, analysis: 45 },
      minimumDetectable: 2.1,
      overlay: feature.overlay!.map((bin) => ({ ...bin, analysisShare: bin.referenceShare })),
    }));
    const all = drawn({ run, drift: { ...full.drift!, action: undefined, prediction: undefined, features } });
    expect(textOf(all.find(({ attributes }) => attributes['class'] === 'lead')!)).toBe(
      'No drift in 5 features over 1,200 rows; a shift of 2.1\u00a0years in age would have been seen',
    );
  });

  test('equal predictions, actuals, folds and shares', () => {
    const equal = JSON.parse(JSON.stringify(full), (_, value: unknown) =>
      typeof value === 'number' ? 7 : value,
    ) as RunFacts;
    expect(drawn(equal).filter(({ name }) => name === 'figure').length).toBeGreaterThanOrEqual(14);
  });

  test('zeros everywhere', () => {
    const zeros = JSON.parse(JSON.stringify(full), (_, value: unknown) =>
      typeof value === 'number' ? 0 : value,
    ) as RunFacts;
    expect(drawn(zeros).length).toBeGreaterThan(100);
  });
});

test('numbers that could not be computed are said to be missing and never drawn', () => {
  const missing = JSON.parse(JSON.stringify(full), (_, value: unknown) =>
    typeof value === 'number' ? null : value,
  ) as RunFacts;
  expect(textOf(drawn(missing)[0])).toContain('n/a');
});

test.each(Array.from({ length: 40 }, (_, seed) => seed))('numbers beyond all sense still make a page (%i)', (seed) => {
  const draw = random(seed);
  const odd = [NaN, 0, -1, 1, 0.5, -0.25, 11, 1e-12, -3e6, 1e15, 5e-324, -1e300, 1.7e308, Infinity];
  const thin = {
    ...full,
    explanation: {
      ...full.explanation!,
      features: full.explanation!.features.map((feature) => ({ ...feature, marks: feature.marks!.slice(0, 30) })),
    },
  };
  const wild = JSON.parse(JSON.stringify(thin), (_, value: unknown) =>
    typeof value === 'number' && draw.uniform() < 0.3 ? draw.choice(odd) : value,
  ) as RunFacts;
  expect(drawn(wild).length).toBeGreaterThan(100);
});
