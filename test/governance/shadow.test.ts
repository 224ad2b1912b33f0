import { expect, test } from 'vitest';
import { aliasHead, shadowOf } from '../../src/governance/aliases.ts';
import { type Alias, readLedger } from '../../src/governance/ledger.ts';
import { promote, refuse, tombstone } from '../../src/governance/promotion.ts';
import { type ShadowEvidence, differingShare, isEnough, shadowGates } from '../../src/governance/shadow.ts';
import { MemoryStore } from './memory-store.ts';

const declared = {
  runs: 2,
  minimumRows: 100,
  maxFailureShare: 0.01,
  prediction: { psi: 0.2 },
  decisions: { differ: 0.1 },
};
const seen: ShadowEvidence = {
  format: 1,
  version: 2,
  runs: 2,
  rows: 200,
  failures: 2,
  scores: { edges: [0.5], test: [50, 50], shadow: [100, 98] },
  champion: {
    version: 1,
    rows: 150,
    meanDifference: 0.01,
    scores: [80, 70],
    decisions: [
      { champion: 'no', shadow: 'no', rows: 100 },
      { champion: 'no', shadow: 'yes', rows: 6 },
      { champion: 'yes', shadow: 'no', rows: 9 },
      { champion: 'yes', shadow: 'yes', rows: 35 },
    ],
  },
};
const failed = (evidence: ShadowEvidence) =>
  shadowGates(declared, evidence).flatMap(({ name, passed }) => (passed ? [] : [name]));

test('what was seen passes at its limits, and fails behind each of them', () => {
  expect(differingShare(seen.champion!)).toBe(0.1);
  expect(failed(seen)).toEqual([]);
  const texts = shadowGates(declared, seen).map(({ evidence }) => evidence.text);
  expect(texts[2]).toMatch(/frozen test set, and of [\d.e-]+ against those of the champion/);
  expect(failed({ ...seen, failures: 3 })).toEqual(['shadowFailures']);
  // Σ (is − was) ln (is / was) of .3/.7 against .5/.5 is .1695, of .2/.8 it is .4159
  expect(failed({ ...seen, scores: { edges: [0.5], test: [50, 50], shadow: [30, 70] } })).toEqual([]);
  expect(failed({ ...seen, scores: { edges: [0.5], test: [50, 50], shadow: [20, 80] } })).toEqual(['shadowPrediction']);
  expect(failed({ ...seen, scores: null })).toEqual(['shadowPrediction']);
  const [no, ...others] = seen.champion!.decisions;
  const otherwise = [{ ...no, rows: 98 }, { champion: 'no', shadow: 'review', rows: 2 }, ...others];
  expect(failed({ ...seen, champion: { ...seen.champion!, decisions: otherwise } })).toEqual(['shadowDecisions']);
});

test('enough is so many runs and rows, and as many rows of the champion’s where there is one', () => {
  expect(isEnough(declared, seen)).toBe(true);
  expect(isEnough(declared, { ...seen, runs: 1 })).toBe(false);
  expect(isEnough(declared, { ...seen, rows: 99 })).toBe(false);
  expect(isEnough(declared, { ...seen, champion: { ...seen.champion!, rows: 99 } })).toBe(false);
  expect(isEnough(declared, { ...seen, champion: null })).toBe(true);
  expect(shadowGates(declared, { ...seen, champion: null }).map(({ name }) => name)).not.toContain('shadowDecisions');
});

test('a version is in shadow until it is decided about, or the champion’s number stands there', async () => {
  const at = { store: new MemoryStore(), useCase: 'u', nowMs: 1 };
  let decisions = 0;
  const said = () => ({ actor: 'a', reason: 'r', criteriaHash: null, evidence: null, decisionId: `d${++decisions}` });
  const entries = () => readLedger(at.store, 'u');
  const put = async (alias: Alias, version: number) =>
    promote(at, { ...said(), alias, version, expectedHead: aliasHead(await entries(), alias) });
  const shadow = async () => shadowOf(await entries());

  expect(await shadow()).toBeNull();
  await put('shadow', 1);
  await refuse(at, { ...said(), alias: 'champion', version: 7 });
  expect(await shadow()).toBe(1);
  await put('champion', 1);
  expect(await shadow()).toBeNull();

  await put('shadow', 2);
  await refuse(at, { ...said(), alias: 'champion', version: 2 });
  expect(await shadow()).toBeNull();
  // a person may want to see it all the same
  await put('shadow', 2);
  expect(await shadow()).toBe(2);
  await expect(tombstone(at, { ...said(), version: 2 })).rejects.toThrow('is the shadow');
  await put('shadow', 1);
  expect(await shadow()).toBeNull();
  await tombstone(at, { ...said(), version: 2 });
});
