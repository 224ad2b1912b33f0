import { expect, test } from 'vitest';
import { usualPlan } from './plan.ts';
import { random } from '../../src/ml/random.ts';
import type { LoggedDecision } from '../../src/serving/decision-log.ts';
import { outcomesOf } from '../../src/serving/experiments.ts';
import type { UseCase } from '../../src/usecase/catalogue.ts';
import { nowMs } from './models.ts';

const useCase = {
  declaration: {
    id: 'claim-decision',
    score: {
      decision: {
        negative: 'reject',
        review: 'manual_review',
        positive: 'approve',
        costs: { falsePositive: 150, falseNegative: 120, review: 30 },
      },
    },
  },
} as unknown as Pick<UseCase, 'declaration'>;
const experiment = { champion: 1, challenger: 2, startedAtMs: nowMs, plan: usualPlan('a-salt-of-its-own') };
const day = 86_400_000;

/** Ten days with fifty decisions each, of which control is right in 70 %, the challenger in 95 %. */
function drawn() {
  const draw = random(4);
  const truths = new Map<string, boolean>();
  const decisions = Array.from({ length: 500 }, (_, i): LoggedDecision => {
    const version = i % 2 === 0 ? 1 : 2;
    const truth = draw.uniform() < 0.6;
    const isRight = draw.uniform() < (version === 1 ? 0.7 : 0.95);
    truths.set(`k${i}`, truth);
    const action = i % 25 === 0 ? 'manual_review' : truth === isRight ? 'approve' : 'reject';
    return { key: `k${i}`, atMs: nowMs + Math.floor(i / 50) * day, code: 'ML_APPROVED', action, probability: 0.9, arm: null, version, shadow: null }; // prettier-ignore
  });
  return { decisions, truths };
}

test('outcomes count what is matured and was decided, and the better arm is found', () => {
  const { decisions, truths } = drawn();
  const { arms, verdict } = outcomesOf(useCase, experiment, decisions, { truths, maturedMs: nowMs + 20 * day });
  expect(arms.control.decisions).toBe(250);
  expect(arms.control.reviewed + arms.challenger.reviewed).toBe(20);
  expect(arms.challenger.right + arms.challenger.wrong + arms.challenger.reviewed).toBe(250);
  expect(arms.challenger.right / (arms.challenger.right + arms.challenger.wrong)).toBeGreaterThan(0.9);
  expect(verdict.verdict).toBe('challenger better');
});

test('what is not old enough, or not known, does not count', () => {
  const { decisions, truths } = drawn();
  const young = outcomesOf(useCase, experiment, decisions, { truths, maturedMs: nowMs - 1 });
  expect([young.arms.control.right + young.arms.control.wrong, young.verdict]).toEqual([
    0,
    { verdict: 'open', test: null },
  ]);
  const unknown = outcomesOf(useCase, experiment, decisions, { truths: new Map(), maturedMs: nowMs + 20 * day });
  expect(unknown.arms.control.right + unknown.arms.challenger.wrong).toBe(0);
});
