import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { csvOf, runCli, runJson, scratch, words } from './run-cli.ts';

type Estimate = { value: number; low: number; high: number };
type Assessed = {
  over: {
    table: { groups: { group: string; rows: number; metrics: Record<string, Estimate> }[]; suppressed: string[] };
    demographicParity: { difference: Estimate; ratio: Estimate; lowest: string; highest: string };
    equalizedOdds: { difference: Estimate };
    findings: { limit: string; severity: string }[];
  }[];
};
type Frame = {
  byGroup: Record<string, Record<string, number>>;
  demographicParityDifference: number;
  demographicParityRatio: number;
  equalizedOddsDifference: number;
};
const fixture = JSON.parse(readFileSync(new URL('../fixtures/fairness/fairness.json', import.meta.url), 'utf8')) as {
  actual: number[];
  score: number[];
  group: string[];
  weight: number[];
} & Record<'plain' | 'weighted', Frame>;
const { actual, score, group, weight } = fixture;
const scored = csvOf({ actual, score, group, weight });
const argv = ['--label', 'actual', '--prediction', 'score', '--over', 'group', '--resamples', '50'];

describe('fairness of any table', () => {
  test.each([
    ['plain', []],
    ['weighted', ['--weights', 'weight']],
  ] as const)('agrees with fairlearn, %s', async (kind, more) => {
    const [{ table, demographicParity, equalizedOdds }] = (
      await runJson<Assessed>('fairness', scratch()('s.csv', scored), ...argv, ...more)
    ).over;
    const frame = fixture[kind];
    expect(demographicParity.difference.value).toBeCloseTo(frame.demographicParityDifference, 12);
    expect(demographicParity.ratio.value).toBeCloseTo(frame.demographicParityRatio, 12);
    expect(equalizedOdds.difference.value).toBeCloseTo(frame.equalizedOddsDifference, 12);
    for (const { group: name, metrics } of table.groups) {
      expect(metrics['truePositiveRate'].value).toBeCloseTo(frame.byGroup[name]['truePositiveRate'], 12);
    }
  });

  test('prints a table per column, the gaps with intervals, and the limits that are broken', async () => {
    const { code, out } = await runCli('fairness', scratch()('s.csv', scored), ...argv);
    expect(code).toBe(0);
    for (const words of [
      'selection rate: difference',
      'lowest against highest',
      'violation: min selection ratio is 0.8, found 0.4819',
    ]) {
      expect(out).toContain(words);
    }
  });

  test('groups under the smallest size are named and not measured', async () => {
    const few = fixture.group.map((name, i) => (i < 3 ? 'rare' : name));
    const file = scratch()('s.csv', csvOf({ actual, score, group: few }));
    const [{ table }] = (await runJson<Assessed>('fairness', file, ...argv)).over;
    expect(table.suppressed).toEqual(['rare']);
    expect(table.groups.map(({ group: name }) => name)).not.toContain('rare');
  });

  test('amounts need to be told what counts as selected', async () => {
    const file = scratch()(
      's.csv',
      csvOf({ actual: score.map((s) => s * 1000), score: score.map((s) => s * 1000), group }),
    );
    const refused = await runCli('fairness', file, ...argv);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('--threshold');
    const [{ demographicParity }] = (await runJson<Assessed>('fairness', file, ...argv, '--threshold', '500')).over;
    expect(demographicParity.difference.value).toBeCloseTo(fixture.plain.demographicParityDifference, 12);
  });

  test('a column that is not there is refused before anything is computed', async () => {
    const { code, err } = await runCli(
      ...words`fairness ${scratch()('s.csv', scored)} --label actual --prediction score --over grup`,
    );
    expect(code).toBe(2);
    expect(err).toContain('Did you mean "group"?');
  });
});

const adult = ['adult-train.csv.gz', 'adult-test.csv.gz'].map(
  (name) => new URL(`../../../shared/data/fairness_adult/${name}`, import.meta.url),
);
const isThere = adult.every((file) => existsSync(file));
if (!isThere)
  console.warn('The published figures of Adult are not checked: ../shared/data/fairness_adult is not there.');

test.skipIf(!isThere)('Adult by sex has the published gaps (needs ../shared/data/fairness_adult)', async () => {
  const names =
    'age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,capital_gain,capital_loss,hours_per_week,native_country,income';
  const lines = adult
    .flatMap((file) => gunzipSync(readFileSync(file)).toString().split('\n'))
    .filter((line) => line.includes(','));
  const file = scratch()('adult.csv', [names, ...lines.map((line) => line.replace(/\.$/, ''))].join('\n'));
  const { over } = await runJson<Assessed>(
    ...words`fairness ${file} --label income --prediction income --positive >50K --over sex --resamples 5`,
  );
  const [{ table, demographicParity, findings }] = over;
  expect(table.groups.map(({ rows }) => rows)).toEqual([16192, 32650]);
  expect(demographicParity).toMatchObject({ lowest: 'Female', highest: 'Male' });
  expect(demographicParity.ratio.value).toBeCloseTo(0.3597, 4);
  expect(demographicParity.difference.value).toBeCloseTo(0.1945, 4);
  expect(findings.map(({ limit }) => limit)).toContain('minSelectionRatio');
});
