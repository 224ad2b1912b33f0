import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { releaseLease } from '../../src/governance/lease.ts';
import { readVersion } from '../../src/governance/registry.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { type RowSet, outcomesOf, readFrozenSet, readSnapshot } from '../../src/stages/common/frozen-sets.ts';
import { predictRows } from '../../src/stages/common/learning.ts';
import { responsesAfter, stepsByRow } from '../../src/stages/common/outcomes.ts';
import { retrainLease } from '../../src/stages/common/retrain-lease.ts';
import { loadEvaluation, loadVersion } from '../../src/stages/common/version.ts';
import type { StageInput } from '../../src/stages.ts';
import { type UseCase, catalogueFromFolder, useCaseOf } from '../../src/usecase/catalogue.ts';
import { elements, parseMarkup, textOf } from '../report/parse-markup.ts';
import { amountsFolder, toRecommend } from './ranking.ts';
import { temporaryDirectory } from './use-cases.ts';
import { type World, govern, ingest, openWorld, policies, score, train, useCase } from './world.ts';

type Row = { [column: string]: string };
const offers = ['inpatient', 'outpatient'];
const points = [1000, 3000, 6000, 9000];
const hourMs = 3_600_000;
const recommendedMs = Date.parse('2026-02-01T06:00:00Z');
const after = (hours: number) => new Date(recommendedMs + hours * hourMs).toISOString();
const weekHours = 7 * 24;

/** Steps of every sent pair but a few, by turns; every sixth of the holdout helped themselves. */
function whatHappened(recommended: readonly Row[]): string[] {
  const lines = recommended.flatMap((row, i) => {
    const record = (outcome: string, hours: number, id = row['recommendation_id']) =>
      [id, row['customer_id'], row['offer_id'], outcome, after(hours)].join();
    if (row['status'] === 'holdout') return i % 6 === 0 ? [record('responded', 5, '')] : [];
    // of some nobody tells anything, and some respond when their time is over
    if (i % 11 === 0) return [];
    const steps = ['sent', 'opened', 'clicked', 'responded'].slice(0, 1 + (i % 4));
    const late = i % 7 === 0 ? [record('responded', weekHours)] : [];
    return [...steps.map((step, nth) => record(step, nth)), ...late];
  });
  const header = 'response_id,recommendation_id,customer_id,offer_id,outcome,occurred_at';
  return [header, ...lines.map((line, i) => `r${i},${line}`)];
}

/** The furthest step within the week, by row of `recommended`; undefined where nothing is told. */
const stepOf = (row: Row, i: number): number | undefined => {
  if (row['status'] === 'holdout') return i % 6 === 0 ? 3 : undefined;
  return i % 11 === 0 ? undefined : i % 4;
};

describe('outcomes by hand', () => {
  const folder = temporaryDirectory();
  let sql: SqlEngine;
  let definition: UseCase;
  beforeAll(async () => {
    sql = await openSql({ threads: 1 });
    ({
      useCases: [definition],
    } = await catalogueFromFolder(amountsFolder(folder.path)));
  });
  afterAll(async () => {
    await sql.close();
    folder.remove();
  });
  const outcomes = (rows: string) =>
    sql.run(`CREATE OR REPLACE TEMP TABLE outcomes AS SELECT * FROM (VALUES ${rows})
      AS o(customer_id, offer, is_sent, step, made_ms, ended_ms)`);

  test('who was held out and contacted, as the salt was changed between, is on neither side of uplift', async () => {
    await outcomes(`('ann', 0, true, 3, 1.0, 9.0), ('bob', 0, true, 2, 1.0, 9.0), ('bob', 1, false, NULL, 2.0, 9.0),
      ('cyd', 1, false, NULL, 2.0, 9.0), ('dan', 1, true, 3, 0.0, 8.0)`);
    const { responses, firstMs, lastMs } = await responsesAfter(sql, definition, 8);
    expect(responses.toSorted((a, b) => (a.entityKey < b.entityKey ? -1 : 1))).toEqual([
      { entityKey: 'ann', offerId: 'inpatient', group: 'sent', responded: true },
      { entityKey: 'cyd', offerId: 'outpatient', group: 'holdout', responded: false },
    ]);
    expect([firstMs, lastMs]).toEqual([1, 2]);
  });

  test('belong to the member’s newest row before the recommendation, and to no row that is later', async () => {
    await sql.run(`CREATE OR REPLACE TEMP TABLE frozen AS SELECT customer_id, make_timestamptz(day * 86400000000) AS recorded_at, _row
      FROM (VALUES ('ann', 10, 0), ('ann', 20, 1), ('ann', 30, 2), ('bob', 20, 3)) AS f(customer_id, day, _row)`);
    const day = (of: number) => `${of * 86_400_000}.0`;
    // of two about one row the newer one counts; what was sent before the first row, to nobody known, or to the holdout, does not
    await outcomes(`('ann', 0, true, 3, ${day(25)}, 0.0), ('ann', 1, true, 2, ${day(20)}, 0.0), ('ann', 1, true, 0, ${day(21)}, 0.0),
      ('ann', 0, true, NULL, ${day(31)}, 0.0), ('ann', 1, false, 3, ${day(31)}, 0.0),
      ('bob', 0, true, 1, ${day(19)}, 0.0), ('cyd', 0, true, 1, ${day(25)}, 0.0)`);
    const none = [NaN, NaN];
    expect([...(await stepsByRow(sql, definition, 4))]).toEqual([...none, 3, 0, ...none, ...none]);
  });
});

describe('responses to what was recommended', () => {
  let world: World;
  let close: () => void;
  let scored: StageInput<'Monitor'>;
  let recommended: Row[];
  const upliftNow = async () => {
    await world.run('Monitor', scored);
    return (await factsOf(world.ports, { useCase, runId: scored.runId }, 'Monitor'))?.uplift;
  };
  const rows = async (path: string, query?: string) => (await world.rows('gold', path, query)) as Row[];
  const tell = async (fileName: string, lines: readonly string[], hours: number) => {
    world.setClock(recommendedMs + hours * hourMs);
    const dropped = await world.drop(fileName, `${lines.join('\n')}\n`, 'responses');
    expect(await world.run('Validate', dropped)).toMatchObject({ status: 'accepted' });
  };

  beforeAll(async () => {
    const folder = temporaryDirectory();
    world = await openWorld({ useCases: amountsFolder(folder.path) });
    close = () => {
      world.close();
      folder.remove();
    };
    await ingest(world, 'january.csv', policies());
    await govern(world, 'r1', await train(world, 'r1'));
    scored = await score(world, 's1');
    world.setClock(recommendedMs);
    await world.run('Recommend', await toRecommend(world, scored));
    recommended = await rows(`recommendations/${useCase}`, 'FROM rows ORDER BY recommendation_id');
  });
  afterAll(() => close());

  test('are not measured before their time is over, nor by a delivery that came before that', async () => {
    expect(await upliftNow()).toBeUndefined();
    await tell('early.csv', whatHappened(recommended).slice(0, 50), 24);
    expect(await upliftNow()).toBeUndefined();
    world.setClock(recommendedMs + 2 * weekHours * hourMs);
    expect(await upliftNow()).toBeUndefined();
  });

  test('then are measured as uplift against the holdout, by member and by offer', async () => {
    await tell('all.csv', whatHappened(recommended), 2 * weekHours);
    const uplift = (await upliftNow())!;
    const rates = (rows: readonly { row: Row; i: number }[], status: string) => {
      const members = new Map<unknown, boolean>();
      for (const { row, i } of rows) {
        if (row['status'] !== status) continue;
        members.set(row['customer_id'], members.get(row['customer_id']) === true || stepOf(row, i) === 3);
      }
      return { members: members.size, responded: [...members.values()].filter(Boolean).length };
    };
    const all = recommended.map((row, i) => ({ row, i }));
    const { sent, holdout, difference } = uplift.overall.uplift!;
    expect(sent).toMatchObject(rates(all, 'sent'));
    expect(holdout).toMatchObject(rates(all, 'holdout'));
    expect(difference.value).toBeCloseTo(sent.responded / sent.members - holdout.responded / holdout.members, 12);
    expect(uplift.offers.map(({ name }) => name)).toEqual(['Hospital plan', 'Doctor plan']);
    for (const [k, { result }] of uplift.offers.entries()) {
      const own = all.filter(({ row }) => row['offer_id'] === offers[k]);
      expect(result.uplift!.sent).toMatchObject(rates(own, 'sent'));
      expect(result.uplift!.holdout).toMatchObject(rates(own, 'holdout'));
    }
    expect(uplift.firstSentAt).toBe(new Date(recommendedMs).toISOString());
  });

  test('are on the page of the run, with their table', async () => {
    const { runId } = scored;
    const { key } = await world.run('Report', { useCase, runId, machine: 'monitor', execution: 'none', failure: '' });
    const markup = parseMarkup(new TextDecoder().decode(await world.ports.reports.get(key)));
    const section = elements(markup).find(({ attributes }) => attributes['id'] === 'uplift')!;
    const text = textOf(section);
    for (const words of ['What contacts change', 'all offers', 'Hospital plan', 'with 7 days to respond'])
      expect(text).toContain(words);
  });

  test('are no longer measured when the monitor’s window has passed', async () => {
    const { monitor } = useCaseOf(world.ports.catalogue, useCase).declaration;
    expect(monitor.window).toBe('P30D');
    const nowMs = world.ports.clock.nowMs();
    world.setClock(recommendedMs + (weekHours + 30 * 24 - 1) * hourMs);
    expect((await upliftNow())?.overall.uplift?.sent.members).toBeGreaterThan(0);
    world.setClock(recommendedMs + (weekHours + 30 * 24) * hourMs);
    expect(await upliftNow()).toBeUndefined();
    world.setClock(nowMs);
  });

  test('ask for a training by themselves, where enough are new since the newest model', async () => {
    const input = { useCase, runId: 'weekly', cause: 'schedule' } as const;
    const { status, reason } = await world.run('Snapshot', input);
    await releaseLease(retrainLease(world.ports, useCase), 'weekly');
    expect(reason).toBe('The schedule asks for it and there is something new to learn.');
    expect(status).toBe('ready');
  });

  describe('at the next training', () => {
    let version: number;
    const frozen = (run: StageInput<'Tune'>['snapshot'], part: 'train' | 'test') =>
      readFrozenSet(world.ports, run, part, useCaseOf(world.ports.catalogue, useCase).declaration);
    /** Of each frozen pair the step that is known, in the order of the rows. */
    const expectedSteps = ({ keys }: RowSet) => {
      const steps = new Map(
        recommended.flatMap((row, i) =>
          row['status'] === 'sent' ? [[`${row['customer_id']} ${row['offer_id']}`, stepOf(row, i)]] : [],
        ),
      );
      return keys.flatMap((key) => offers.map((offer) => steps.get(`${key} ${offer}`) ?? NaN));
    };

    beforeAll(async () => {
      version = await train(world, 'r2');
    });

    test('move the labels that are learnt from, and none of those that judge', async () => {
      const { snapshot } = await loadEvaluation(world.ports, await readVersion(world.ports.registry, useCase, version));
      const [learnt, judged] = [await frozen(snapshot, 'train'), await frozen(snapshot, 'test')];
      const plain = new Map(
        (await rows(`features/${useCase}`)).map((row) => [
          row['customer_id'],
          offers.map((offer) => Number(row[offer])),
        ]),
      );
      const declared = useCaseOf(world.ports.catalogue, useCase).declaration;
      const labelOf = ({ keys }: RowSet) => keys.flatMap((key) => plain.get(key)!);

      const steps = expectedSteps(learnt);
      const moved = labelOf(learnt).map((label, i) =>
        Number.isNaN(steps[i]) ? label : label + 0.5 * (points[steps[i]] - label),
      );
      expect([...outcomesOf(learnt, declared)!]).toEqual(steps);
      expect([...learnt.label]).toEqual(moved);
      const known = steps.filter((step) => !Number.isNaN(step)).length;
      expect(known).toBeGreaterThan(200);
      expect((await readSnapshot(world.ports, snapshot.key)).outcomes).toBe(known);

      expect([...judged.label]).toEqual(labelOf(judged));
      expect([...outcomesOf(judged, declared)!]).toEqual(expectedSteps(judged));
    });

    test('and labels judge the other pairs alone', async () => {
      const { manifest, learnt } = await loadVersion(world.ports, useCase, version);
      const { metrics, rulesMetrics, outputs, snapshot } = await loadEvaluation(world.ports, manifest);
      const test = await frozen(snapshot, 'test');
      const steps = expectedSteps(test);
      const predicted = predictRows(learnt, test.columns);
      const rootMeanSquare = (from: (pair: number) => number) => {
        const squares: number[][] = [[], []];
        steps.forEach(
          (step, pair) => Number.isNaN(step) && squares[pair % 2].push((from(pair) - test.label[pair]) ** 2),
        );
        expect(Math.min(...squares.map(({ length }) => length))).toBeGreaterThan(5);
        return squares.map((own) => Math.sqrt(own.reduce((sum, square) => sum + square, 0) / own.length));
      };
      const mean = ([first, second]: number[]) => (first + second) / 2;
      const byOutput = rootMeanSquare((pair) => predicted[pair]);
      outputs.forEach(({ metrics: { rmse } }, k) => expect(rmse).toBeCloseTo(byOutput[k], 8));
      expect(metrics.rmse!.value).toBeCloseTo(mean(byOutput), 8);
      // the rules give every member 2,000 and 3,000
      expect(rulesMetrics.rmse).toBeCloseTo(mean(rootMeanSquare((pair) => 2000 + 1000 * (pair % 2))), 8);
    });

    test('judge the model and the rules by the order of what members were sent', async () => {
      const { manifest, learnt } = await loadVersion(world.ports, useCase, version);
      const { metrics, rulesMetrics, outcomes, snapshot } = await loadEvaluation(world.ports, manifest);
      const test = await frozen(snapshot, 'test');
      const steps = expectedSteps(test);
      const right = (first: (row: number) => number, second: (row: number) => number) => {
        let [compared, concordant] = [0, 0];
        for (let row = 0; row < test.rows; row++) {
          const [a, b] = [steps[2 * row], steps[2 * row + 1]];
          if (Number.isNaN(a) || Number.isNaN(b) || a === b) continue;
          compared++;
          const gap = (first(row) - second(row)) * (a - b);
          concordant += gap > 0 ? 1 : gap === 0 ? 0.5 : 0;
        }
        expect(compared).toBeGreaterThan(10);
        return concordant / compared;
      };
      const predicted = predictRows(learnt, test.columns);
      const ofModel = right(
        (row) => predicted[2 * row],
        (row) => predicted[2 * row + 1],
      );
      // the rules give every member 2,000 and 3,000
      const ofRules = right(
        () => 2000,
        () => 3000,
      );
      expect(outcomes).toBe(steps.filter((step) => !Number.isNaN(step)).length);
      expect(metrics.outcome_concordance!.value).toBeCloseTo(ofModel, 12);
      expect(rulesMetrics.outcome_concordance).toBeCloseTo(ofRules, 12);
      expect(metrics.concordance_over_rules!.value).toBeCloseTo(ofModel - ofRules, 12);
    });

    test('decide between champion and challenger where that is declared, and calibration can be told of several outputs', async () => {
      await govern(world, 'r2', version);
      const { promotion } = (await factsOf(world.ports, { useCase, runId: 'r2' }, 'Govern'))!;
      const [deciding, calibration] = promotion!.improvements!;
      expect(deciding.name).toBe('concordance with outcomes');
      expect(calibration.name).toBe('distance of actual / expected from 1');
      expect(calibration.improvement.low).toBeLessThanOrEqual(calibration.improvement.value);
      expect(calibration.improvement.high).toBeGreaterThanOrEqual(calibration.improvement.value);
      const { lineage } = (await factsOf(world.ports, { useCase, runId: 'r2' }, 'Evaluate'))!;
      expect(lineage!.taughtBy!.votes).toBe(0);
      expect(lineage!.taughtBy!.outcomes).toBeGreaterThan(200);
    });

    test('ask for no second one', async () => {
      const again = await world.run('Snapshot', { useCase, runId: 'weekly-2', cause: 'schedule' });
      expect(again).toMatchObject({ status: 'busy', reason: expect.stringContaining('there is nothing newer') });
    });

    test('ten votes of reviewers ask for one too, and nine do not', async () => {
      const trainedMs = world.ports.clock.nowMs();
      world.setClock(trainedMs + hourMs);
      const members = [...new Set(recommended.map((row) => row['customer_id']))].slice(0, 10);
      const givenAt = new Date(trainedMs + 1000).toISOString();
      const votes = members.map((member) => `${member},outpatient,approved,r-1,${givenAt}`);
      const review = async (fileName: string, lines: readonly string[]) => {
        const csv = ['customer_id,offer_id,verdict,reviewer,given_at', ...lines, ''].join('\n');
        await world.run('Validate', await world.drop(fileName, csv, 'feedback'));
        const { status } = await world.run('Snapshot', { useCase, runId: fileName, cause: 'schedule' });
        await releaseLease(retrainLease(world.ports, useCase), fileName);
        return status;
      };
      expect(await review('nine.csv', votes.slice(1))).toBe('busy');
      expect(await review('ten.csv', votes)).toBe('ready');
    });

    test('whose time is not over stay out of it', async () => {
      world.setClock(recommendedMs + (weekHours - 1) * hourMs);
      const input = { useCase, runId: 'r3', cause: 'manual' } as const;
      const { snapshot } = await world.run('Snapshot', input);
      await releaseLease(retrainLease(world.ports, useCase), 'r3');
      const learnt = await frozen(snapshot!, 'train');
      const steps = outcomesOf(learnt, useCaseOf(world.ports.catalogue, useCase).declaration)!;
      expect(steps.every(Number.isNaN)).toBe(true);
      expect((await readSnapshot(world.ports, snapshot!.key)).outcomes).toBe(0);
    });
  });
});
