import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import { type PolicyCounts, funnelSteps } from '../../src/recommend/funnel.ts';
import { policyRules } from '../../src/recommend/policy.ts';
import { upliftOf } from '../../src/recommend/uplift.ts';
import { offerCategories } from '../../src/report/charts/offer-categories.ts';
import { offerDistributions } from '../../src/report/charts/offer-distributions.ts';
import { policyFunnel, policyHeadline } from '../../src/report/charts/policy-funnel.ts';
import { type UpliftFacts, upliftHeadline, upliftStrips } from '../../src/report/charts/uplift.ts';
import type { RunFacts, Uplift } from '../../src/report/facts.ts';
import { type Figure, renderFigure } from '../../src/report/figure.ts';
import { renderPage } from '../../src/report/page.ts';
import { offerScores } from '../../src/report/summaries/offer-scores.ts';
import { elements, parseMarkup, textOf } from './parse-markup.ts';
import type { Element } from './parse-markup.ts';
import { sampleFacts } from './sample-facts.ts';

const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

/** All elements of a figure, after a look at whether each number can be drawn. */
function drawn(figure: Figure): Element[] {
  const all = elements(parseMarkup(renderFigure(figure, 'f').markup));
  const attributes = all.flatMap((element) => Object.entries(element.attributes));
  expect(
    attributes.filter(([name, value]) => !name.startsWith('aria') && /NaN|Infinity|undefined/.test(value)),
  ).toEqual([]);
  const sizes = attributes.filter(([name]) => /^(width|height|r)$/.test(name));
  expect(sizes.filter(([, value]) => !(Number(value) >= 0))).toEqual([]);
  const svgs = all.filter(({ name, attributes }) => name === 'svg' && attributes['role'] === 'img');
  expect(svgs.length).toBeGreaterThan(0);
  for (const svg of svgs)
    expect(svg.children.slice(0, 2).map((child) => (child as Element).name)).toEqual(['title', 'desc']);
  return all;
}
const cells = (figure: Figure) =>
  drawn(figure)
    .filter(({ name }) => name === 'tr')
    .map((row) => row.children.map((cell) => plain(textOf(cell as Element))));

/** Counts as the policy makes them: pairs by rule and offer, at most one pair of a member at each step. */
function countsOf(removed: number[], sent: number[]): PolicyCounts {
  const rules = Object.fromEntries(policyRules.map((rule, i) => [rule, removed[i]])) as PolicyCounts['removed'];
  const zero = Object.fromEntries(policyRules.map((rule) => [rule, 0])) as PolicyCounts['removed'];
  const all = [...removed, ...sent].reduce((sum, pairs) => sum + pairs, 0);
  let left = all;
  const steps = funnelSteps.map(({ name, removedBy }) => {
    for (const rule of removedBy) left -= rules[rule];
    return { name, pairs: left, members: left };
  });
  const offers = sent.map((pairs, i) => ({
    id: `O_${i}`,
    name: `Offer ${i}`,
    category: ['preventive_care', 'fitness'][i % 2],
    sent: pairs,
    removed: zero,
  }));
  return { members: all, holdoutMembers: 40, spentUsd: 0, steps, removed: rules, offers };
}
const counts = countsOf([500, 0, 300, 200, 100, 50, 20, 400, 60, 70], [150, 60, 90]);

describe('the funnel', () => {
  test('says how much is sent and which rule took most', () => {
    expect(plain(policyHeadline(counts).sentence)).toBe(
      '15.0 % of 2,000 possible offers are sent, to 300 of 2,000 members; most often against one: not eligible (25.0 %)',
    );
  });

  test('has a row for each step, and the rules behind it', () => {
    expect(cells(policyFunnel(counts))).toEqual([
      ['Step', 'Pairs left', 'Share', 'Members left', 'Removed by'],
      ['candidates', '2,000', '100.0 %', '2,000', ''],
      ['eligible', '1,500', '75.0 %', '1,500', 'not eligible 500'],
      ['wanted', '1,200', '60.0 %', '1,200', 'below minimum score 300'],
      ['consented', '1,000', '50.0 %', '1,000', 'no consent 200'],
      ['not cooled down', '900', '45.0 %', '900', 'cooldown 100'],
      ['within caps', '430', '21.5 %', '430', 'beyond top 400, category cap 50, month cap 20'],
      ['within budget', '370', '18.5 %', '370', 'over budget 60'],
      ['sent', '300', '15.0 %', '300', 'holdout 70'],
    ]);
  });

  test('nothing at all, and nothing sent, are said', () => {
    const none = countsOf(
      Array.from(policyRules, () => 0),
      [0, 0],
    );
    expect(policyHeadline(none).sentence).toBe('There was nobody to recommend anything to');
    expect(policyHeadline(countsOf([50, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0])).status).toBe('warned');
    drawn(policyFunnel(none));
  });

  test('of few members nothing is told, nor of few that are sent something', () => {
    const few = countsOf([3, 0, 0, 0, 0, 0, 0, 0, 0, 0], [4]);
    expect(policyHeadline(few).sentence).toBe('Too few members to tell what is sent to them');
    const hardly = countsOf([500, 0, 0, 0, 0, 0, 0, 0, 0, 0], [4]);
    expect(plain(policyHeadline(hardly).sentence)).toBe('Few of 504 possible offers are sent');
  });

  test('no number that is told gives away a group of 1 to 10', () => {
    const size = fc.oneof(fc.nat(30), fc.constantFrom(0, 0, 1, 5, 10, 11, 500));
    fc.assert(
      fc.property(fc.array(size, { minLength: 11, maxLength: 11 }), (sizes) => {
        const rows = cells(policyFunnel(countsOf(sizes.slice(0, 10), [sizes[10]]))).slice(1);
        const left = rows.map(([, pairs]) => (pairs === 'not told' ? undefined : Number(pairs.replaceAll(',', ''))));
        const told = left.filter((pairs) => pairs !== undefined);
        const groups = told.map((pairs, i) => pairs - (told[i + 1] ?? 0));
        expect(groups.filter((one) => one > 0 && one < 11)).toEqual([]);
        const byRule = rows.flatMap(([, , , , by]) => [...by.matchAll(/ (\d+)(?=,|$)/g)].map(([, n]) => Number(n)));
        expect(byRule.filter((one) => one > 0 && one < 11)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('offers by category', () => {
  test('the most frequent category stands first, its offers in the table', () => {
    const figure = offerCategories(counts);
    expect(plain(figure.title)).toBe('Preventive care has 80.0 % of 300 offers sent; every category gets some');
    expect(cells(figure).slice(1)).toEqual([
      ['preventive care', 'Offer 0', '150', '50.0 %'],
      ['preventive care', 'Offer 2', '90', '30.0 %'],
      ['fitness', 'Offer 1', '60', '20.0 %'],
    ]);
  });

  test('small groups are not told', () => {
    const figure = offerCategories(countsOf([], [150, 60, 7]));
    expect(cells(figure).flat()).not.toContain('7');
    expect(figure.note).toContain('fewer than 11');
    expect(figure.description).toContain('preventive care: not told');
  });

  test('nothing sent is drawn, too', () => {
    expect(offerCategories(countsOf([], [0, 0])).title).toBe('0 offers sent in 2 categories');
    drawn(offerCategories(countsOf([], [0, 0])));
  });
});

describe('score distributions', () => {
  const draw = random(3);
  // two offers, row-major: uniform scores around 60 and around 20
  const scores = Float64Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? 40 : 0) + 40 * draw.uniform());
  const offers = offerScores(['Visit', 'Gym'], scores, 30);

  test('have the quantiles of each offer', () => {
    expect(offers.map(({ name }) => name)).toEqual(['Visit', 'Gym']);
    // four standard errors of a quantile of 2,000 uniforms over 40
    for (const [share, key] of [
      [0.05, 'p5'],
      [0.25, 'p25'],
      [0.5, 'p50'],
      [0.75, 'p75'],
      [0.95, 'p95'],
    ] as const)
      expect(Math.abs(offers[0][key] - (40 + 40 * share))).toBeLessThan(
        4 * 40 * Math.sqrt((share * (1 - share)) / 2000),
      );
    expect(offers[0].reachesMinimum).toBe(1);
    expect(Math.abs(offers[1].reachesMinimum - 0.25)).toBeLessThan(0.05);
  });

  test('are ranked by median and compared with the minimum', () => {
    const figure = offerDistributions({ offers, minimumScore: 30, unit: 'points' });
    expect(plain(figure.title)).toMatch(
      /^Median scores lie between [12]\d(\.\d)? points \(Gym\) and [56]\d(\.\d)? points \(Visit\); 1 of 2 medians miss the minimum$/,
    );
    expect(drawn(figure).filter(({ attributes }) => attributes['class'] === 'band inner')).toHaveLength(2 * 2 + 1);
  });

  test('of ten members are not shown', () => {
    expect(offerScores(['Visit', 'Gym'], scores.slice(0, 20), 30)).toEqual([]);
    drawn(offerDistributions({ offers: [], minimumScore: 30, unit: 'points' }));
  });
});

describe('uplift', () => {
  const measured = (sent: number, held: number) =>
    upliftOf({ members: 2000, responded: sent }, { members: 200, responded: held });
  const facts: UpliftFacts = {
    overall: measured(700, 40),
    offers: [
      { name: 'Visit', result: measured(700, 40) },
      { name: 'Gym', result: { tooFew: true } },
    ],
  };

  test('says what contacts change, and leaves out what is too small', () => {
    expect(plain(upliftHeadline(facts).sentence)).toBe(
      'Contacts change the response rate by +15.0 points (8.6 – 20.4)',
    );
    const figure = upliftStrips(facts);
    expect(
      cells(figure)
        .slice(1)
        .map(([name]) => name),
    ).toEqual(['all offers', 'Visit']);
    expect(figure.note).toContain('1 row with too few members on either side left out.');
  });

  test('where nothing shows, says what would have', () => {
    const none = { overall: measured(200, 20), offers: [] };
    expect(plain(upliftHeadline(none).sentence)).toMatch(
      /^No effect of contacts is visible: .*; a rise of \d\.\d points would have shown$/,
    );
    expect(upliftHeadline({ overall: { tooFew: true }, offers: [] }).status).toBe('notice');
    drawn(upliftStrips({ overall: { tooFew: true }, offers: [] }));
  });

  test('has a section of the page, also where nothing could have been seen', () => {
    const at = '2026-02-01T06:00:00.000Z';
    // a rise above a rate of .9 cannot be seen among so few: that number is missing after JSON
    const high = upliftOf({ members: 30, responded: 29 }, { members: 30, responded: 27 });
    const told = { overall: high, offers: [], withinDays: 28, firstSentAt: at, lastSentAt: at };
    expect(high.uplift!.minimumDetectable).toBeNaN();
    const { uplift, ...others } = { ...sampleFacts(), uplift: JSON.parse(JSON.stringify(told)) as Uplift };
    const textOn = (run: RunFacts) => plain(textOf(parseMarkup(renderPage(run))));
    expect(textOn(others)).not.toContain('What contacts change');
    const page = textOn({ ...others, uplift });
    expect(page).toContain('No effect of contacts is visible');
    expect(page).toContain('28 days to respond');
  });

  test('warns of an offer that puts members off', () => {
    const harmful = { ...facts, offers: [{ name: 'Gym', result: measured(100, 60) }] };
    expect(upliftHeadline(harmful)).toMatchObject({ status: 'warned' });
    expect(upliftHeadline(harmful).sentence).toContain('Gym put members off');
  });
});

test('numbers beyond all sense are drawn all the same', () => {
  // as far as they get onto a page: beyond 1e15 they are taken for missing
  const odd = [null, 0, -1, 1, 0.5, 11, 1e-12, -3e6, 1e15];
  const scored = offerScores(
    ['Visit', 'Gym'],
    Float64Array.from({ length: 100 }, (_, i) => i),
    30,
  );
  const measured = upliftOf({ members: 50, responded: 9 }, { members: 20, responded: 2 });
  for (let seed = 0; seed < 30; seed++) {
    const draw = random(seed);
    const wild = <T>(value: T): T =>
      JSON.parse(JSON.stringify(value), (_, part: unknown) =>
        typeof part === 'number' && draw.uniform() < 0.4 ? draw.choice(odd) : part,
      ) as T;
    const figures = [
      policyFunnel(wild(counts)),
      offerCategories(wild(counts)),
      offerDistributions(wild({ offers: scored, minimumScore: 30, unit: 'points' })),
      upliftStrips(wild({ overall: measured, offers: [] })),
    ];
    for (const figure of figures) expect(drawn(figure).length).toBeGreaterThan(5);
  }
});
