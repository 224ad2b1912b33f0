import { describe, expect, test } from 'vitest';
import {
  foldOf,
  groupedKFold,
  kFold,
  stratifiedKFold,
  timeOrderedFolds,
  type Split,
} from '../../../src/ml/tune/folds.ts';
import { holdout } from '../../../src/ml/tune/holdout.ts';
import { keyShare } from '../../../src/ml/tune/key-hash.ts';

/** Each split parts all rows into two, ascending; each row is judged exactly once. */
function expectPartition(splits: Split[], rows: number) {
  const all = Array.from({ length: rows }, (_, row) => row);
  for (const { train, test: judged } of splits) {
    expect([...train, ...judged].sort((a, b) => a - b)).toEqual(all);
    expect(Array.from(train)).toEqual(Array.from(train).sort((a, b) => a - b));
  }
  expect(splits.flatMap((split) => [...split.test]).sort((a, b) => a - b)).toEqual(all);
}

describe('k-fold', () => {
  test('parts the rows into folds whose sizes differ by at most one', () => {
    const splits = kFold(103, { folds: 5, seed: 42 });
    expectPartition(splits, 103);
    expect(splits.map((split) => split.test.length)).toEqual([21, 21, 21, 20, 20]);
  });

  test('shuffles by its seed alone', () => {
    expect(kFold(50, { folds: 5, seed: 1 })).toEqual(kFold(50, { folds: 5, seed: 1 }));
    expect(kFold(50, { folds: 5, seed: 1 })).not.toEqual(kFold(50, { folds: 5, seed: 2 }));
    expect(Array.from(kFold(50, { folds: 5, seed: 1 })[0].test)).not.toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
  });

  test('refuses fewer rows than folds, and fewer than two folds', () => {
    expect(() => kFold(3, { folds: 5, seed: 1 })).toThrow('5 folds need at least 5 rows, there are 3');
    expect(() => kFold(30, { folds: 1, seed: 1 })).toThrow('at least 2');
  });

  test('foldOf names the fold that judges each row', () => {
    const splits = kFold(10, { folds: 2, seed: 1 });
    foldOf(splits, 10).forEach((fold, row) => expect(splits[fold].test).toContain(row));
  });
});

test('stratified folds hold every class to within one row', () => {
  const labels = Array.from({ length: 211 }, (_, i) => (i % 7 === 0 ? 'claim' : i % 31 === 0 ? 'fraud' : 'none'));
  const splits = stratifiedKFold(labels, { folds: 5, seed: 101 });
  expectPartition(splits, 211);
  for (const name of ['claim', 'fraud', 'none']) {
    const counts = splits.map((split) => split.test.filter((row) => labels[row] === name).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  const sizes = splits.map((split) => split.test.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
});

describe('grouped folds', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `member-${i % 100}`);

  test('keep all rows of a member together', () => {
    const splits = groupedKFold(keys, { folds: 5, salt: 'cv' });
    expectPartition(splits, 300);
    for (const { train, test: judged } of splits) {
      const trained = new Set(Array.from(train, (row) => keys[row]));
      expect(Array.from(judged, (row) => keys[row]).filter((key) => trained.has(key))).toEqual([]);
    }
  });

  test('leave a member in its fold when others join', () => {
    const before = foldOf(groupedKFold(keys, { folds: 5, salt: 'cv' }), 300);
    const after = foldOf(groupedKFold(['new-1', 'new-2', ...keys], { folds: 5, salt: 'cv' }), 302);
    expect(after.slice(2)).toEqual(before);
  });

  test('refuse a fold without keys', () => {
    expect(() => groupedKFold(['a', 'a', 'a'], { folds: 2, salt: 1 })).toThrow('too few keys');
  });
});

describe('time-ordered folds', () => {
  const times = [5, 1, 3, 3, 9, 7, 8, 2, 4, 6, 3, 10];

  test('train on the past and judge the next block, rows of one time together', () => {
    const splits = timeOrderedFolds(times, { folds: 3 });
    expect(splits).toHaveLength(3);
    for (const { train, test: judged } of splits) {
      const latest = Math.max(...Array.from(train, (row) => times[row]));
      const earliest = Math.min(...Array.from(judged, (row) => times[row]));
      expect(latest).toBeLessThan(earliest);
    }
    for (let fold = 1; fold < 3; fold++) {
      expect(Array.from(splits[fold].train)).toEqual(
        [...splits[fold - 1].train, ...splits[fold - 1].test].sort((a, b) => a - b),
      );
    }
    expect(splits[2].train.length + splits[2].test.length).toBe(times.length);
  });

  test('refuse more folds than there are times', () => {
    expect(() => timeOrderedFolds([1, 1, 1, 2], { folds: 3 })).toThrow('has no time of its own');
  });
});

describe('holdout', () => {
  test('gives P4’s 6,400 / 1,600 / 2,000 and keeps the class shares', () => {
    const labels = Array.from({ length: 10_000 }, (_, i) => i % 25 < 4);
    const parts = holdout(10_000, { test: 0.2, validation: 0.2, seed: 1889, stratify: labels });
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([6400, 1600, 2000]);
    for (const part of Object.values(parts)) {
      const positives = part.filter((row) => labels[row]).length;
      expect(Math.abs(positives - 0.16 * part.length)).toBeLessThanOrEqual(1);
    }
    expect([...parts.train, ...parts.validation, ...parts.test].sort((a, b) => a - b)).toEqual(
      labels.map((_, row) => row),
    );
  });

  test('by key never lets a member move, and holds about the share asked for', () => {
    const keys = Array.from({ length: 5000 }, (_, i) => `p-${i}`);
    const before = new Set(holdout(5000, { test: 0.2, seed: 1, keys }).test);
    const after = holdout(6000, {
      test: 0.2,
      seed: 1,
      keys: [...keys, ...keys.slice(0, 1000).map((key) => `${key}x`)],
    });
    expect(after.test.filter((row) => row < 5000)).toEqual(Uint32Array.from(before));
    expect(Math.abs(before.size / 5000 - 0.2)).toBeLessThan(0.02);
  });

  test('refuses stratification and keys together, and shares outside [0, 1)', () => {
    expect(() => holdout(2, { test: 0.5, seed: 1, stratify: [0, 1], keys: ['a', 'b'] })).toThrow('not both');
    expect(() => holdout(2, { test: 1, seed: 1 })).toThrow('The test share must lie in [0, 1), it is 1');
    expect(() => holdout(2, { test: 0.5, seed: 1, keys: ['a'] })).toThrow('2 rows, but 1');
  });
});

test('the share of a key is the head of its salted SHA-256, as sha256sum prints it', () => {
  // printf 'salt:member-1' | sha256sum → first 12 hexadecimal digits
  expect(keyShare('member-1', 'salt')).toBe(Number.parseInt('d6bc834f248c', 16) / 2 ** 48);
});
