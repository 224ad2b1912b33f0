import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { readTable } from '../../src/cli/table-file.ts';
import { writeTableWith } from '../../src/cli/table-out.ts';
import { openSql } from '../../src/data/sql.ts';
import { scratch } from './run-cli.ts';

const read = async (content: string | Uint8Array) => {
  const { columns } = await readTable(scratch()('table.csv', content));
  return Object.fromEntries(
    columns.map(({ name, kind, values }) => [name, { kind, values: Array.from<unknown>(values) }]),
  );
};

describe('columns of CSV are typed by all of their cells', () => {
  test('decimal numbers, with what stands for a missing one', async () => {
    expect(await read('a,b\n1,-2.5e3\n,NA\n .5 ,+7.\n')).toEqual({
      a: { kind: 'number', values: [1, NaN, 0.5] },
      b: { kind: 'number', values: [-2500, NaN, 7] },
    });
  });

  test('identifiers stay texts: leading zeros, and more digits than a number holds', async () => {
    const { zip, account } = await read('zip,account\n01234,1234567890123456\n99999,1\n');
    expect(zip).toEqual({ kind: 'text', values: ['01234', '99999'] });
    expect(account.kind).toBe('text');
  });

  test('booleans in any letter case', async () => {
    expect((await read('a\ntrue\nFALSE\n\n')).a).toEqual({ kind: 'boolean', values: [1, 0, NaN] });
  });

  test('NA is a name in a column of texts, and one text makes the column text', async () => {
    expect((await read('region,n\nNA,1\nEU,x\n,2\n')).region).toEqual({ kind: 'text', values: ['NA', 'EU', null] });
    expect((await read('region,n\nNA,1\nEU,x\n,2\n')).n).toEqual({ kind: 'text', values: ['1', 'x', '2'] });
  });

  test('letters beyond ASCII, quoted delimiters and line ends', async () => {
    expect((await read('name;n\n"Zoë; Ltd";1\n"two\nlines";2\n')).name.values).toEqual(['Zoë; Ltd', 'two\nlines']);
  });

  test('tabs, and gzip', async () => {
    expect(await read(gzipSync('a\tb\n1\tx\n'))).toEqual({
      a: { kind: 'number', values: [1] },
      b: { kind: 'text', values: ['x'] },
    });
  });
});

describe('what cannot be read is refused', () => {
  test.each([
    ['a record with too few fields, by its line', 'a,b\n1,2\n3\n', /line 3: the record is malformed/],
    ['an unclosed quotation mark, by its line', 'a,b\n1,2\n"3,4\n5,6\n', /line 3: the record is malformed/],
    ['an empty file', '', /empty/],
    ['a header alone', 'a,b\n', /no rows/],
    ['damaged Parquet', 'PAR1 and nothing else', /damaged/],
    ['broken gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3), /damaged/],
    ['UTF-16', Buffer.from('a,b\n1,2\n', 'utf16le'), /not-text/],
  ])('%s', async (_, content, message) => {
    const refused = readTable(scratch()('table.csv', content));
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe('a table written with a column added', () => {
  test('keeps every cell of a CSV as it was, and reads back', async () => {
    const file = scratch();
    const table = await readTable(file('in.csv', 'zip,amount,note\n01234,1.50,"a, b"\n00042,,\n'));
    await writeTableWith(file('out.csv'), table, [{ name: 'prediction', values: Float64Array.of(0.1, NaN) }]);
    const { columns } = await readTable(file('out.csv'));
    expect(columns.map(({ name, values }) => [name, Array.from<unknown>(values)])).toEqual([
      ['zip', ['01234', '00042']],
      ['amount', [1.5, NaN]],
      ['note', ['a, b', null]],
      ['prediction', [0.1, NaN]],
    ]);
  });

  test('as Parquet has the types that the CSV was read as', async () => {
    const file = scratch();
    const table = await readTable(file('in.csv', 'zip,amount,late\n01234,1.50,TRUE\n00042,NaN,\n1,NA,false\n'));
    await writeTableWith(file('out.parquet'), table, [{ name: 'p', values: Float64Array.of(1, 2, 3) }]);
    expect((await readTable(file('out.parquet'))).columns.slice(0, 3)).toEqual(table.columns);
  });

  test('keeps the types of Parquet, lists too', async () => {
    const file = scratch();
    const sql = await openSql();
    const { bytes } = await sql.parquet(
      `SELECT i::DECIMAL(9,2) AS amount, DATE '2026-02-01' + i::INTEGER AS day, [i] AS list, i > 1 AS late, NULLIF(i, 2) AS n FROM range(3) t(i)`,
    );
    await sql.close();
    const table = await readTable(file('in.parquet', bytes));
    expect(table.others).toEqual([{ name: 'list', type: 'BIGINT[]' }]);
    expect(table.columns.map(({ name, kind, values }) => [name, kind, Array.from<unknown>(values)])).toEqual([
      ['amount', 'number', [0, 1, 2]],
      ['day', 'text', ['2026-02-01', '2026-02-02', '2026-02-03']],
      ['late', 'boolean', [0, 0, 1]],
      ['n', 'number', [0, 1, NaN]],
    ]);
    await writeTableWith(file('out.parquet'), table, [{ name: 'p', values: Float64Array.of(1, 2, 3) }]);
    const again = await readTable(file('out.parquet'));
    expect(again.others).toEqual(table.others);
    expect(again.columns.slice(0, 4)).toEqual(table.columns);
    await expect(writeTableWith(file('x.csv'), table, [{ name: 'LIST', values: new Float64Array(3) }])).rejects.toThrow(
      /already has a column/,
    );
  });
});
