import { describe, expect, test } from 'vitest';
import { planCandidates, rankTrials, SearchSpaceError, type SearchSpace } from '../../../src/ml/tune/search.ts';
import { nextRung, planRungs, type RungResult, survivors } from '../../../src/ml/tune/successive-halving.ts';

const space: SearchSpace = {
  learningRate: { logUniform: [0.01, 0.76] },
  subsample: { uniform: [0.25, 1] },
  numLeaves: { integer: [2, 5] },
  minChildWeight: { choice: [1, 3, 5, 7, 9] },
  boosting: { choice: ['gbdt', 'rf'] },
};

describe('random search', () => {
  test('plans the same candidates for the same seed, as plain JSON', () => {
    const plan = planCandidates(space, 20, 101);
    expect(planCandidates(space, 20, 101)).toEqual(plan);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(planCandidates(space, 20, 102)).not.toEqual(plan);
  });

  test('begins alike however many trials are planned, so that a search can be resumed and extended', () => {
    expect(planCandidates(space, 100, 101).slice(0, 20)).toEqual(planCandidates(space, 20, 101));
  });

  test('does not move a parameter when another joins or the order changes', () => {
    const values = (name: string, within: SearchSpace) => planCandidates(within, 10, 1).map((c) => c.parameters[name]);
    const reversed = Object.fromEntries(Object.entries(space).reverse());
    expect(values('subsample', reversed)).toEqual(values('subsample', space));
    expect(values('subsample', { subsample: space.subsample })).toEqual(values('subsample', space));
  });

  test('draws every dimension over its whole declared range', () => {
    const plan = planCandidates(space, 2000, 7).map((candidate) => candidate.parameters);
    const numbers = (name: string) => plan.map((parameters) => Number(parameters[name]));
    expect(new Set(numbers('numLeaves'))).toEqual(new Set([2, 3, 4, 5]));
    expect(new Set(plan.map((parameters) => parameters.boosting))).toEqual(new Set(['gbdt', 'rf']));
    const rates = numbers('learningRate');
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.01);
    expect(Math.max(...rates)).toBeLessThanOrEqual(0.76);
    // half of them below the geometric middle
    const below = rates.filter((rate) => rate < Math.sqrt(0.01 * 0.76)).length;
    expect(Math.abs(below / 2000 - 0.5)).toBeLessThan(0.04);
    const mean = numbers('subsample').reduce((sum, value) => sum + value, 0) / 2000;
    expect(Math.abs(mean - 0.625)).toBeLessThan(0.02);
  });

  test.each([
    [{ depth: { integer: [1.5, 3] } }, 'Parameter "depth" needs whole bounds'],
    [{ rate: { logUniform: [0, 1] } }, 'Parameter "rate" is logUniform and needs bounds > 0'],
    [{ rate: { uniform: [2, 1] } }, 'Parameter "rate" needs finite bounds low ≤ high, they are 2 and 1'],
    [{ kind: { choice: [] } }, 'Parameter "kind" has no values'],
    [{ kind: { choices: [1] } }, 'Parameter "kind" has [choices]: it needs exactly one of'],
  ])('refuses %j by name', (bad, message) => {
    expect(() => planCandidates(bad as unknown as SearchSpace, 1, 1)).toThrow(SearchSpaceError);
    expect(() => planCandidates(bad as unknown as SearchSpace, 1, 1)).toThrow(message);
  });
});

test('trials rank best first, ties by age, undefined scores last', () => {
  const results = [
    { trial: 3, score: 0.5 },
    { trial: 0, score: NaN },
    { trial: 1, score: 0.5 },
    { trial: 2, score: 0.9 },
  ];
  const ranked = (better: 'higher' | 'lower') => rankTrials(results, better).map(({ trial }) => trial);
  expect(ranked('higher')).toEqual([2, 1, 3, 0]);
  expect(ranked('lower')).toEqual([1, 3, 2, 0]);
});

describe('successive halving', () => {
  test('plans the rungs of the published example: 81 candidates, η 3, 1 to 81 units', () => {
    expect(planRungs({ candidates: 81, minResource: 1, maxResource: 81 })).toEqual([
      { rung: 0, candidates: 81, resource: 1 },
      { rung: 1, candidates: 27, resource: 3 },
      { rung: 2, candidates: 9, resource: 9 },
      { rung: 3, candidates: 3, resource: 27 },
      { rung: 4, candidates: 1, resource: 81 },
    ]);
  });

  test('starts higher when the candidates are few, and always ends on the full resource', () => {
    expect(planRungs({ candidates: 10, minResource: 10, maxResource: 400, eta: 2 })).toEqual([
      { rung: 0, candidates: 10, resource: 50 },
      { rung: 1, candidates: 5, resource: 100 },
      { rung: 2, candidates: 2, resource: 200 },
      { rung: 3, candidates: 1, resource: 400 },
    ]);
  });

  test('one candidate runs once, on everything', () => {
    expect(planRungs({ candidates: 1, minResource: 5, maxResource: 100 })).toEqual([
      { rung: 0, candidates: 1, resource: 100 },
    ]);
  });

  test('sends the best on', () => {
    const results = [4, 2, 9, 1].map((score, trial) => ({ trial, score }));
    expect(survivors(results, { rung: 1, candidates: 2, resource: 9 }, 'lower')).toEqual([3, 1]);
    expect(survivors(results, { rung: 1, candidates: 2, resource: 9 }, 'higher')).toEqual([2, 0]);
  });

  describe('goes on from what has been judged', () => {
    const candidates = planCandidates(space, 9, 3);
    const rungs = planRungs({ candidates: 9, minResource: 10, maxResource: 90 });
    const plan = { candidates, rungs, resource: 'iterations', better: 'lower' } as const;
    const scoreOf = (trial: number) => Math.abs(trial - 4); // the fifth is the best
    const runAll = (order: (results: RungResult[]) => RungResult[]) => {
      const asked: number[][] = [];
      let results: RungResult[] = [];
      for (;;) {
        const next = nextRung(plan, order(results));
        if ('winner' in next) return { asked, winner: next.winner };
        asked.push(next.run.map(({ trial }) => trial));
        results = [...results, ...next.run.map(({ trial, rung }) => ({ trial, rung, score: scoreOf(trial) }))];
      }
    };

    test('rung by rung, the resource filled in, to the winner', () => {
      expect(nextRung(plan, [])).toEqual({
        run: candidates.map(({ trial, parameters }) => ({
          trial,
          rung: 0,
          parameters: { ...parameters, iterations: 10 },
        })),
      });
      expect(runAll((results) => results)).toEqual({ asked: [[0, 1, 2, 3, 4, 5, 6, 7, 8], [3, 4, 5], [4]], winner: 4 });
    });

    test('the same whatever the order in which results came in', () => {
      expect(runAll((results) => results.toReversed())).toEqual(runAll((results) => results));
    });

    test('with what is missing where a rung broke off', () => {
      const done = [0, 1, 2, 4, 5, 6, 8].map((trial) => ({ trial, rung: 0, score: scoreOf(trial) }));
      const next = nextRung(plan, done);
      expect('run' in next && next.run.map(({ trial }) => trial)).toEqual([3, 7]);
    });
  });

  test('refuses less resource at the end than at the start', () => {
    expect(() => planRungs({ candidates: 9, minResource: 10, maxResource: 5 })).toThrow('maxResource');
  });
});
