import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { rocAuc } from '../../src/ml/metrics/roc.ts';
import { random } from '../../src/ml/random.ts';
import { confusionByPeriod } from '../../src/monitoring/confusion.ts';
import { confusionFacts, confusionOverTime, confusionRows } from '../../src/stages/common/confusion.ts';
import { labelReference, metricSet } from '../../src/stages/common/metric-set.ts';
import { declarationSchema } from '../../src/usecase/declaration.ts';
import { bandsOf } from '../../src/usecase/label.ts';
import propensity from '../../usecases/claim-propensity/usecase.ts';
import { temporaryDirectory } from './use-cases.ts';

const declaration = declarationSchema.parse(propensity);
const { path, remove } = temporaryDirectory();
const metrics = metricSet(labelReference(Float64Array.of(0, 1, 0, 0), declaration));
const dayMs = 86_400_000;
const nowMs = Date.parse('2026-06-01T00:00:00Z');

type Case = { key: string; atMs: number; prediction: number; category: string; truth: number };

/** Five months of applications, of which some are never known, some too young, and some were known when they were scored. */
const cases: Case[] = [];
const draw = random('confusion');
for (let i = 0; i < 900; i++) {
  const prediction = draw.uniform();
  const category = bandsOf(declaration).find(({ below }) => below === undefined || prediction < below)!.name;
  const atMs = Date.parse('2026-01-01T00:00:00Z') + Math.floor(draw.uniform() * 150) * dayMs;
  cases.push({ key: `A${i}`, atMs, prediction, category, truth: draw.uniform() < prediction ? 1 : 0 });
}
const kindOf = (i: number) => (['learnt from', 'unknown', 'late', 'late', 'late'] as const)[i % 5];

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ temporaryDirectory: path });
  const features: string[] = [];
  const predictions: string[] = [];
  const timestamp = (ms: number) => `make_timestamp(${ms} * 1000)`;
  cases.forEach(({ key, atMs, prediction, category, truth }, i) => {
    const kind = kindOf(i);
    const row = (batch: string, label: string, builtMs: number) =>
      features.push(`('${key}', ${timestamp(atMs)}, '${batch}', ${label}, ${timestamp(builtMs)})`);
    const scored = (batch: string, p: number, atRun: number) =>
      predictions.push(
        `('${key}', ${timestamp(atMs)}, '${batch}', ${p}, '${category}', ${timestamp(atRun)}, ${atRun})`,
      );
    row('first', kind === 'learnt from' ? String(truth) : 'NULL', 1);
    scored('first', prediction, 1);
    if (kind !== 'late') return;
    // the truth comes with a second delivery, which is scored again by another model
    row('second', String(truth), 2);
    scored('second', 0.5, 2);
  });
  await sql.run(`CREATE TABLE features AS SELECT * FROM (VALUES ${features.join(', ')})
    AS f (application_id, received_at, _batch, claim_status, _built_at)`);
  await sql.run(`CREATE TABLE predictions AS SELECT * FROM (VALUES ${predictions.join(', ')})
    AS p (application_id, received_at, _batch, prediction, category, predicted_at, model_version)`);
});
afterAll(async () => {
  await sql.close();
  remove();
});

/** By hand: what a careful person would count. */
const counted = () => cases.filter((one, i) => kindOf(i) === 'late' && one.atMs + 30 * dayMs <= nowMs);
const monthOf = ({ atMs }: Case) => new Date(atMs).toISOString().slice(0, 7);

describe('what was decided before the truth was known, against it', () => {
  test('counts each final case once, by its first prediction, under its month', async () => {
    const found = await confusionOverTime(sql, declaration, { metrics, nowMs });
    const months = [...new Set(counted().map(monthOf))].sort();
    expect(found.map(({ period }) => period)).toEqual(months);
    for (const { period, rows, cells } of found) {
      const ofMonth = counted().filter((one) => monthOf(one) === period);
      expect(rows).toBe(ofMonth.length);
      for (const { decision, happened, notHappened } of cells) {
        const decided = ofMonth.filter(({ category }) => category === decision);
        expect([happened, notHappened]).toEqual([
          decided.filter(({ truth }) => truth === 1).length,
          decided.filter(({ truth }) => truth === 0).length,
        ]);
      }
    }
  });

  test('has precision, recall and F1 as the cells of the positive decision give them, and the AUC of the rows', async () => {
    for (const { period, cells, metrics: of } of await confusionOverTime(sql, declaration, { metrics, nowMs })) {
      const claim = cells.find(({ decision }) => decision === 'claim')!;
      const all = cells.reduce((sum, { happened }) => sum + happened, 0);
      const precision = claim.happened / (claim.happened + claim.notHappened);
      const recall = claim.happened / all;
      expect(of['precision']).toBeCloseTo(precision, 12);
      expect(of['recall']).toBeCloseTo(recall, 12);
      expect(of['f1']).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
      const rows = counted().filter((one) => monthOf(one) === period);
      const truth = Float64Array.from(rows, (one) => one.truth);
      const given = Float64Array.from(rows, (one) => one.prediction);
      expect(of['roc_auc']).toBeCloseTo(rocAuc(truth, given), 9);
    }
  });

  test('is the same in the table', async () => {
    const found = await confusionOverTime(sql, declaration, { metrics, nowMs });
    const [{ rows }] = await sql.rows(`SELECT sum(happened + not_happened) AS rows FROM (${confusionRows(found)})`);
    expect(Number(rows)).toBe(counted().length);
  });

  test('is nothing while nothing is final, and nothing of an amount', async () => {
    expect(await confusionOverTime(sql, declaration, { metrics, nowMs: Date.parse('2026-01-15') })).toEqual([]);
    expect(confusionFacts(declaration, [])).toBeUndefined();
    const amount = { ...declaration, label: { ...declaration.label, task: 'regression' as const } };
    expect(await confusionOverTime(sql, amount, { metrics, nowMs })).toEqual([]);
  });
});

test('a month in which nothing happened has no AUC, and says so by null', () => {
  const periods = ['2026-01', '2026-01'];
  const rows = {
    periods,
    decisions: ['no', 'yes'],
    actual: Float64Array.of(0, 0),
    predicted: Float64Array.of(0.1, 0.9),
  };
  const [month] = confusionByPeriod(rows, ['no', 'yes'], { roc_auc: rocAuc });
  expect(month).toEqual({
    period: '2026-01',
    rows: 2,
    cells: [
      { decision: 'no', happened: 0, notHappened: 1 },
      { decision: 'yes', happened: 0, notHappened: 1 },
    ],
    metrics: { roc_auc: null },
  });
});
