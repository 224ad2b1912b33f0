import { expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import type { RowSet } from '../../src/stages/common/frozen-sets.ts';
import { memory } from '../../src/stages/common/remember.ts';
import { candidatesOf } from '../../src/stages/common/search.ts';
import { validateCandidate } from '../../src/stages/common/validation.ts';
import { declarationSchema } from '../../src/usecase/declaration.ts';
import { smallSearch } from './use-cases.ts';

const [forest, boosting] = smallSearch.models;

/** Two kinds of model, early stopping, bins of two sizes and a view: whatever a name of something remembered has to tell apart. */
const declaration = declarationSchema.parse({
  ...smallSearch,
  features: {
    numeric: ['age', 'bmi'],
    categorical: ['region'],
    carried: ['children'],
    views: { extended: { numeric: ['children'] } },
  },
  models: [
    forest,
    {
      ...boosting,
      parameters: { ...boosting.parameters, earlyStoppingRounds: 5 },
      search: {
        ...boosting.search,
        folds: 2,
        trials: 4,
        space: { maxBin: { choice: [7, 200] }, earlyStoppingRounds: { choice: [0, 5] } },
      },
    },
  ],
});

function rowSet(rows: number): RowSet {
  const chance = random(7);
  const column = (make: () => number) => Float64Array.from({ length: rows }, make);
  const columns = {
    age: column(() => chance.integer(60)),
    bmi: column(() => 40 * chance.uniform()),
    children: column(() => chance.integer(4)),
  };
  const region = Array.from({ length: rows }, () => ['north', 'south', 'east'][chance.integer(3)]);
  const label = Float64Array.from(
    { length: rows },
    (_, i) =>
      100 +
      3 * columns.age[i] +
      columns.bmi[i] * columns.children[i] +
      (region[i] === 'east' ? 50 : 0) +
      chance.uniform(),
  );
  return { rows, columns: { ...columns, region }, keys: region.map((_, i) => `p${i}`), label, outputs: 1 };
}

test('candidates that share what was made of the rows are judged as each alone', async () => {
  const rows = rowSet(400);
  const candidates = candidatesOf(declaration);
  const drawn = candidates.map(({ kind, view, parameters: { maxBin, earlyStoppingRounds } }) =>
    JSON.stringify([kind, view, maxBin, earlyStoppingRounds]),
  );
  expect(new Set(drawn).size).toBeGreaterThan(6);
  const remember = memory();
  for (const candidate of candidates) {
    const alone = await validateCandidate(declaration, candidate, rows);
    expect(await validateCandidate(declaration, candidate, rows, { remember })).toEqual(alone);
  }
});

test('what is remembered is made once', () => {
  const remember = memory();
  const make = (): object => ({});
  expect(remember('a', make)).toBe(remember('a', make));
  expect(remember('b', make)).not.toBe(remember('a', make));
});
