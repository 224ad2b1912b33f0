import { expect, test } from 'vitest';
import { roundsMemory, roundsOn } from '../../../src/ml/trees/rounds.ts';

/** Two threads' views of two rounds of two outputs. */
function twoViews() {
  const memory = roundsMemory(2, 2);
  return [roundsOn(memory, 2, 2), roundsOn(memory, 2, 2)] as const;
}

test('turns are given out once, in order, and an output waits for its last tree', () => {
  const [mine, theirs] = twoViews();
  expect(mine.take()).toEqual({ round: 0, output: 0 });
  expect(theirs.take()).toEqual({ round: 0, output: 1 });
  expect(mine.take()).toBeNull();
  theirs.finish({ round: 0, output: 1 }, 3, 0.5);
  // in order: the other output's next tree is not taken before this one's
  expect(theirs.take()).toBeNull();
  mine.finish({ round: 0, output: 0 }, 2, 0.25);
  expect(theirs.take()).toEqual({ round: 1, output: 0 });
  expect(theirs.take()).toEqual({ round: 1, output: 1 });
  expect(mine.take()).toBeNull();
});

test('the figures of a round are there once all its trees are grown', () => {
  const [mine, theirs] = twoViews();
  const [first, second] = [mine.take()!, theirs.take()!];
  theirs.finish(second, 3, 0.5);
  expect(mine.figures(0)).toBeNull();
  mine.finish(first, 2, 0.25);
  expect(mine.figures(0)).toEqual({ leaves: [2, 3], losses: [0.25, 0.5] });
  expect(theirs.figures(0)).toEqual(mine.figures(0));
  expect(theirs.figures(1)).toBeNull();
});

test('after the end nobody takes a turn, and nobody sleeps through it', () => {
  const [mine, theirs] = twoViews();
  const news = theirs.news();
  mine.end();
  expect(theirs.isEnded()).toBe(true);
  expect(theirs.take()).toBeNull();
  theirs.wait(news);
});
