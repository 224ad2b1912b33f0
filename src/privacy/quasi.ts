import { quoteName } from '../data/quote.ts';
import { smallestGroup as leastPeople } from '../data/quality/profile.ts';
import type { SqlEngine } from '../data/sql.ts';

/*
 * k-anonymity (Sweeney 2002): people who share all of their quasi-identifiers hide behind each other. Groups are counted in
 * people, not in rows: a member who is delivered every month does not hide behind themselves.
 */

export type Grouped = {
  /** A table or view. */
  from: string;
  /** The columns that may single somebody out together; a missing value is a value. */
  quasi: readonly string[];
  /** The column that tells people apart, such as the surrogate. @default - each row is somebody */
  person?: string;
  /** The least number of people in a group. @default 11 */
  k?: number;
};

export type GroupSizes = {
  people: number;
  groups: number;
  /** People in the smallest group; 0 where there are none at all. */
  smallest: number;
  /** Groups of fewer than k people, and the people in them. */
  smallGroups: number;
  peopleInSmallGroups: number;
};

/** How well people hide in a table. Without quasi-identifiers all are one group. */
export async function groupSizes(
  sql: SqlEngine,
  { from, quasi, person, k = leastPeople }: Grouped,
): Promise<GroupSizes> {
  const [found] = await sql.rows(
    `SELECT coalesce(sum(n), 0) AS people, count(*) AS groups, coalesce(min(n), 0) AS smallest,
      count(*) FILTER (n < ${k}) AS small_groups, coalesce(sum(n) FILTER (n < ${k}), 0) AS people_in_small_groups
    FROM (SELECT ${peopleIn(person)} AS n FROM ${quoteName(from)} GROUP BY ${by(quasi)}) WHERE n > 0`,
  );
  return {
    people: Number(found['people']),
    groups: Number(found['groups']),
    smallest: Number(found['smallest']),
    smallGroups: Number(found['small_groups']),
    peopleInSmallGroups: Number(found['people_in_small_groups']),
  };
}

/** A column made coarser: nothing of it, or the first year of its ten (47 → 40). */
export type Generalisation = { column: string; to: 'blank' | 'tenYears' };

export type Suppressed = {
  /** Rows of the table that was made. */
  released: number;
  /** The rows of which a column was made coarser, by column, in the order in which that was done. */
  generalised: { [column: string]: number };
  /** Of the released rows, those whose quasi-identifiers are all blank now. */
  blanked: number;
  /** Rows that are not in it: even without quasi-identifiers they would have been fewer than k people. */
  leftOut: number;
};

/**
 * Makes the temporary table `into`, in which no group has fewer than k people. Those in smaller groups have their columns made
 * coarser, one after the other (`coarser`) and only as far as it takes; then their quasi-identifiers are blanked together; and
 * where the blank group is itself too small, its rows are left out. Nobody in a large enough group loses anything by it.
 */
export async function suppressSmallGroups(
  sql: SqlEngine,
  input: Grouped & { into: string; coarser?: readonly Generalisation[] },
): Promise<Suppressed> {
  const { from, quasi, person, k = leastPeople } = input;
  const into = quoteName(input.into);
  const isSmall = `${peopleIn(person)} OVER (PARTITION BY ${by(quasi)}) < ${k} AS _small`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE ${into} AS SELECT *, ${isSmall} FROM ${quoteName(from)}`);

  const generalised: Suppressed['generalised'] = {};
  for (const { column, to } of input.coarser ?? []) {
    const name = quoteName(column);
    const value = { blank: 'NULL', tenYears: `${name} - ${name} % 10` }[to];
    const [{ n }] = await sql.rows(
      `SELECT count(*) FILTER (_small AND ${name} IS DISTINCT FROM (${value})) AS n FROM ${into}`,
    );
    generalised[column] = Number(n);
    await sql.run(`CREATE OR REPLACE TEMP TABLE ${into} AS
      WITH coarser AS (SELECT * EXCLUDE _small REPLACE (CASE WHEN _small THEN ${value} ELSE ${name} END AS ${name}) FROM ${into})
      SELECT *, ${isSmall} FROM coarser`);
  }

  const blank = quasi.map((name) => `CASE WHEN NOT _small THEN ${quoteName(name)} END AS ${quoteName(name)}`);
  const isBlank = quasi.length === 0 ? 'true' : quasi.map((name) => `${quoteName(name)} IS NULL`).join(' AND ');
  await sql.run(`CREATE OR REPLACE TEMP TABLE ${into} AS
    WITH blanked AS (SELECT * ${blank.length > 0 ? `REPLACE (${blank.join(', ')})` : ''} FROM ${into})
    SELECT * FROM blanked WHERE NOT (${isBlank}) OR (SELECT ${peopleIn(person)} FROM blanked WHERE ${isBlank}) >= ${k}`);
  const [found] = await sql.rows(
    `SELECT count(*) AS released, count(*) FILTER (_small) AS blanked, (SELECT count(*) FROM ${quoteName(from)}) AS delivered FROM ${into}`,
  );
  await sql.run(`ALTER TABLE ${into} DROP COLUMN _small`);
  const released = Number(found['released']);
  return { released, generalised, blanked: Number(found['blanked']), leftOut: Number(found['delivered']) - released };
}

const peopleIn = (person: string | undefined): string =>
  person === undefined ? 'count(*)' : `count(DISTINCT ${quoteName(person)})`;

const by = (quasi: readonly string[]): string => (quasi.length === 0 ? 'true' : quasi.map(quoteName).join(', '));
