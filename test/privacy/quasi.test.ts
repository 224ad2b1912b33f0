import { tableFromArrays } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { random } from '../../src/ml/random.ts';
import { groupSizes, suppressSmallGroups } from '../../src/privacy/quasi.ts';

let sql: SqlEngine;
beforeAll(async () => void (sql = await openSql({ threads: 1 })));
afterAll(() => sql.close());

type Row = { person: string; age: number; region: string; charges: number };

async function table(name: string, rows: readonly Row[]): Promise<void> {
  await sql.run(`DROP TABLE IF EXISTS ${name}`);
  const columns = { person: rows.map(({ person }) => person), region: rows.map(({ region }) => region) };
  const numbers = {
    age: Float64Array.from(rows, ({ age }) => age),
    charges: Float64Array.from(rows, ({ charges }) => charges),
  };
  await sql.insert(name, tableFromArrays({ ...columns, ...numbers }));
}

const population = (seed: number, people: number): Row[] => {
  const draw = random(seed);
  return Array.from({ length: people * 2 }, (_, row) => ({
    person: `p${row % people}`,
    age: 30 + Math.min(draw.poisson(2), 9),
    region: draw.choice(['N', 'N', 'N', 'S']),
    charges: row,
  }));
};

/** People per group, counted in plain JavaScript. */
function naiveGroups(rows: readonly Record<string, unknown>[]): Map<string, Set<unknown>> {
  const groups = new Map<string, Set<unknown>>();
  for (const { person, age, region } of rows) {
    const key = JSON.stringify([age, region]);
    groups.set(key, (groups.get(key) ?? new Set()).add(person));
  }
  return groups;
}

const quasi = ['age', 'region'];

test('the smallest group agrees with a naive count, over seeded populations', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const rows = population(seed, 150);
    await table('members', rows);
    const sizes = [...naiveGroups(rows).values()].map(({ size }) => size);
    const small = sizes.filter((size) => size < 11);
    expect(await groupSizes(sql, { from: 'members', quasi, person: 'person' })).toEqual({
      people: sizes.reduce((sum, size) => sum + size, 0),
      groups: sizes.length,
      smallest: Math.min(...sizes),
      smallGroups: small.length,
      peopleInSmallGroups: small.reduce((sum, size) => sum + size, 0),
    });
  }
});

test('after suppression no group is below k, whatever the population, and nothing else has changed', async () => {
  for (let seed = 0; seed < 20; seed++) {
    for (const people of [5, 12, 150]) {
      const rows = population(seed, people);
      await table('members', rows);
      const counts = await suppressSmallGroups(sql, { from: 'members', into: 'released', quasi, person: 'person' });
      const released = await sql.rows('FROM released');
      for (const group of naiveGroups(released).values()) expect(group.size).toBeGreaterThanOrEqual(11);
      const before = naiveGroups(rows);
      let blanked = 0;
      for (const row of released) {
        const original = rows[Number(row['charges'])];
        const isSmall = before.get(JSON.stringify([original.age, original.region]))!.size < 11;
        expect(row).toEqual(isSmall ? { ...original, age: null, region: null } : original);
        if (isSmall) blanked++;
      }
      expect(counts).toEqual({
        released: released.length,
        generalised: {},
        blanked,
        leftOut: rows.length - released.length,
      });
    }
  }
});

test('columns are made coarser one after the other, and only for those who still stand out', async () => {
  const people = (count: number, row: Omit<Row, 'person' | 'charges'>, name: string): Row[] =>
    Array.from({ length: count }, (_, i) => ({ person: `${name}${i}`, charges: i, ...row }));
  await table('members', [
    ...people(11, { age: 40, region: 'N' }, 'large'),
    ...people(6, { age: 52, region: 'N' }, 'joined'),
    ...people(6, { age: 52, region: 'S' }, 'to'),
    ...people(7, { age: 61, region: 'N' }, 'in'),
    ...people(7, { age: 68, region: 'N' }, 'sixties'),
    ...people(2, { age: 99, region: 'S' }, 'few'),
  ]);
  const coarser = [
    { column: 'region', to: 'blank' },
    { column: 'age', to: 'tenYears' },
  ] as const;
  const counts = await suppressSmallGroups(sql, {
    from: 'members',
    into: 'released',
    quasi,
    person: 'person',
    coarser,
  });
  expect(counts).toEqual({ released: 37, generalised: { region: 28, age: 16 }, blanked: 0, leftOut: 2 });
  expect(await sql.rows('SELECT age, region, count(*) AS n FROM released GROUP BY ALL ORDER BY ALL')).toEqual([
    { age: 40, region: 'N', n: 11 },
    { age: 52, region: null, n: 12 },
    { age: 60, region: null, n: 14 },
  ]);
});

test('made coarser in whatever order, no group is below k, over seeded populations', async () => {
  const steps = [
    { column: 'region', to: 'blank' },
    { column: 'age', to: 'tenYears' },
  ] as const;
  for (let seed = 0; seed < 20; seed++) {
    await table('members', population(seed, 40 + seed));
    for (const coarser of [steps, [...steps].reverse()]) {
      await suppressSmallGroups(sql, { from: 'members', into: 'released', quasi, person: 'person', coarser });
      for (const group of naiveGroups(await sql.rows('FROM released')).values()) {
        expect(group.size).toBeGreaterThanOrEqual(11);
      }
    }
  }
});

test('a member who is delivered every month does not hide behind themselves', async () => {
  await table(
    'members',
    Array.from({ length: 12 }, (_, month) => ({ person: 'p', age: 40, region: 'N', charges: month })),
  );
  expect(await groupSizes(sql, { from: 'members', quasi, person: 'person' })).toMatchObject({
    smallest: 1,
    smallGroups: 1,
  });
  expect(await groupSizes(sql, { from: 'members', quasi })).toMatchObject({ smallest: 12, smallGroups: 0 });
});

test('an empty table and a table without quasi-identifiers', async () => {
  await table('members', population(1, 20));
  expect(await groupSizes(sql, { from: 'members', quasi: [], person: 'person' })).toMatchObject({
    groups: 1,
    smallest: 20,
  });
  expect(
    await suppressSmallGroups(sql, { from: 'members', into: 'released', quasi: [], person: 'person', k: 21 }),
  ).toEqual({
    released: 0,
    generalised: {},
    blanked: 0,
    leftOut: 40,
  });
  await sql.run('DELETE FROM members');
  expect(await groupSizes(sql, { from: 'members', quasi, person: 'person' })).toEqual({
    people: 0,
    groups: 0,
    smallest: 0,
    smallGroups: 0,
    peopleInSmallGroups: 0,
  });
});
