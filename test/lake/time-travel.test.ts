import { describe, expect, test } from 'vitest';
import { timeTravels, UnclearTime } from '../../src/lake/time-travel.ts';

const at = (ms: string) => Date.parse(ms);

describe('a table as of a version or a time', () => {
  test.each<[string, string, object[]]>([
    [
      'SELECT category FROM predictions AT (VERSION => 3) WHERE predictions.prediction > 5',
      'SELECT category FROM "at version 3"."predictions" WHERE predictions.prediction > 5',
      [{ table: 'predictions', asOf: { version: 3 }, schema: 'at version 3' }],
    ],
    [
      "FROM Features at(timestamp=>'2026-02-01') f",
      'FROM "at 2026-02-01T00:00:00.000Z"."Features" f',
      [{ table: 'Features', asOf: { timestampMs: at('2026-02-01T00:00Z') }, schema: 'at 2026-02-01T00:00:00.000Z' }],
    ],
    [
      'SELECT * FROM "odd ""name" /* then */ AT -- when\n ( VERSION => 0 ) JOIN t USING (k)',
      'SELECT * FROM "at version 0"."odd ""name" JOIN t USING (k)',
      [{ table: 'odd "name', asOf: { version: 0 }, schema: 'at version 0' }],
    ],
    [
      'FROM t AT (VERSION => 1) EXCEPT FROM t AT (VERSION => 2) EXCEPT FROM t AT (VERSION => 1)',
      'FROM "at version 1"."t" EXCEPT FROM "at version 2"."t" EXCEPT FROM "at version 1"."t"',
      [
        { table: 't', asOf: { version: 1 }, schema: 'at version 1' },
        { table: 't', asOf: { version: 2 }, schema: 'at version 2' },
      ],
    ],
  ])('%s', (query, rewritten, references) => {
    expect(timeTravels(query)).toEqual({ query: rewritten, references });
  });

  test.each([
    `SELECT 'FROM t AT (VERSION => 1)' AS text FROM t`,
    `SELECT 'it''s t AT (VERSION => 1)', E'\\' t AT (VERSION => 1)', $$ t AT (VERSION => 1) $$, $x$ ' t AT (VERSION => 1) $x$ FROM t`,
    `SELECT "t AT (VERSION => 1)" FROM t -- t AT (VERSION => 1)`,
    `SELECT 1 /* FROM t AT (VERSION => 1) */ FROM t`,
    `SELECT now() AT TIME ZONE 'UTC', ts AT TIME ZONE ('UTC') FROM t AS at WHERE at.x = 1`,
    `SELECT 5 AT (VERSION => 1)`,
    `SELECT chat (VERSION => 1), t.at (1)`,
    '',
    "SELECT 'not closed t AT (",
  ])('nothing of the kind is left alone: %s', (query) => {
    expect(timeTravels(query)).toEqual({ query, references: [] });
  });

  test.each([
    [`'2026-02-01'`, '2026-02-01T00:00:00Z'],
    [`'2026-02-01 14:30'`, '2026-02-01T14:30:00Z'],
    [`'2026-02-01T14:30:15.25'`, '2026-02-01T14:30:15.250Z'],
    [`'2026-02-01 14:30:15Z'`, '2026-02-01T14:30:15Z'],
    [`'2026-02-01 14:30:15+01'`, '2026-02-01T13:30:15Z'],
    [`'2026-02-01 14:30-0330'`, '2026-02-01T18:00:00Z'],
    [`TIMESTAMP '2026-02-01 00:00:00'`, '2026-02-01T00:00:00Z'],
    [`timestamptz '2024-02-29 00:00:00+00:00'`, '2024-02-29T00:00:00Z'],
  ])('the time %s is %s', (text, expected) => {
    const [{ asOf }] = timeTravels(`FROM t AT (TIMESTAMP => ${text})`).references;
    expect(asOf).toEqual({ timestampMs: at(expected) });
  });

  test.each([
    ['VERSION => -1', '-1 is no version'],
    ['VERSION => 1.5', '1.5 is no version'],
    ["VERSION => '1'", "'1' is no version"],
    ['VERSION =>', 'nothing is no version'],
    ['VERSION => 99999999999999999999', 'is no version'],
    ['VERSION = 1', 'it names neither VERSION => nor TIMESTAMP =>'],
    ['SNAPSHOT => 1', 'it names neither'],
    ['', 'it names neither'],
    ["TIMESTAMP => '2026-02-30'", "'2026-02-30' is no time"],
    ["TIMESTAMP => '2026-02-01 25:00'", 'is no time'],
    ["TIMESTAMP => 'yesterday'", "'yesterday' is no time"],
    ["TIMESTAMP => '01.02.2026'", 'is no time'],
    ['TIMESTAMP => 2026', '2026 is no time'],
    ['TIMESTAMP => now() - INTERVAL 1 DAY', 'is no time'],
  ])('AT (%s) is refused with what to write', (content, message) => {
    const asking = () => timeTravels(`FROM t AT (${content})`);
    expect(asking).toThrow(UnclearTime);
    expect(asking).toThrow(message);
    expect(asking).toThrow("Write t AT (VERSION => 3), or t AT (TIMESTAMP => '2026-02-01')");
  });

  test('a parenthesis that is not closed is named', () => {
    expect(() => timeTravels('FROM t AT (VERSION => 3')).toThrow('t AT (…): its parenthesis is not closed');
  });
});
