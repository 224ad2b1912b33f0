import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { random, type Random } from '../../src/ml/random.ts';
import { run } from './python.ts';

/** The numbers that one side computes, by name; null where a number is not defined. */
export type Answer = Record<string, number | null | readonly (number | null)[]>;

/** One thing that this product and a Python library both compute. `peer_libraries.py` has a function of the same name. */
export type Comparison = {
  name: string;
  /** Largest difference: relative to the library's number where that is above 1, else absolute. */
  tolerance: number;
  /** A fresh random case, as plain JSON, and the product's answer to it. */
  draw: (stream: Random) => { input: object; ours: Answer };
};

/** Asks the libraries about fresh random cases of every comparison. Returns one line per comparison that fails. */
export function compareWithLibraries(
  comparisons: readonly Comparison[],
  python: string,
  seed: number,
  cases = 12,
): string[] {
  const drawn = comparisons.map(({ name, draw }) => {
    const stream = random(seed).fork(name);
    return { name, cases: Array.from({ length: cases }, (_, k) => draw(stream.fork(k))) };
  });
  const answers = ask(
    python,
    drawn.map(({ name, cases: asked }) => ({ name, inputs: asked.map(({ input }) => input) })),
  );
  const failures: string[] = [];
  comparisons.forEach(({ name, tolerance }, i) => {
    const differences = drawn[i].cases.map(({ ours }, k) => largestDifference(ours, answers[i][k]));
    const worst = Math.max(...differences.map(({ difference }) => difference));
    console.log(`  ${name}: ${worst.toExponential(1)} (at most ${tolerance.toExponential(0)})`);
    const failed = differences.findIndex(({ difference }) => !(difference <= tolerance));
    if (failed >= 0) {
      failures.push(`${name}, case ${failed}: ${differences[failed].what} differs beyond ${tolerance} (seed ${seed})`);
    }
  });
  return failures;
}

function ask(python: string, questions: { name: string; inputs: object[] }[]): Answer[][] {
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-conformance-'));
  try {
    writeFileSync(join(folder, 'questions.json'), JSON.stringify(questions));
    const script = fileURLToPath(new URL('peer_libraries.py', import.meta.url));
    run(python, ['-W', 'ignore', script, folder], 'The Python libraries could not answer');
    return JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Answer[][];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Infinite where one side has a number that the other lacks. */
function largestDifference(ours: Answer, theirs: Answer): { difference: number; what: string } {
  let worst = { difference: 0, what: 'nothing' };
  for (const what of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [mine, other] = [ours[what], theirs[what]].map((value) => (value === undefined ? [] : [value].flat()));
    const difference =
      mine.length === other.length ? Math.max(0, ...mine.map((v, i) => between(v, other[i]))) : Infinity;
    if (!(difference <= worst.difference)) worst = { difference, what };
  }
  return worst;
}

function between(ours: number | null, theirs: number | null): number {
  const [isHere, isThere] = [ours, theirs].map((value) => value !== null && Number.isFinite(value));
  if (!isHere || !isThere) return isHere === isThere ? 0 : Infinity;
  return Math.abs(ours! - theirs!) / Math.max(1, Math.abs(theirs!));
}
