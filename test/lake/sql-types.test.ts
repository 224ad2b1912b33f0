import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { parseSchema, sqlType, type DeltaType, type PrimitiveType, type Schema } from '../../src/lake/schema.ts';
import { deltaTypeOf } from '../../src/lake/sql-types.ts';

test.each<[string, DeltaType | undefined]>([
  ['INTEGER', 'integer'],
  ['DECIMAL(18,3)', 'decimal(18,3)'],
  ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
  ['TIMESTAMP', 'timestamp_ntz'],
  ["ENUM('a', 'it''s, (b)')", 'string'],
  ['INTEGER[]', { type: 'array', elementType: 'integer', containsNull: true }],
  ['MAP(VARCHAR, DOUBLE)', { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true }],
  ['TIMESTAMP_NS', undefined],
  ['HUGEINT', undefined],
  ['TIME WITH TIME ZONE', undefined],
  ['STRUCT(a TIME)', undefined],
  ['MAP(VARCHAR, BIT)', undefined],
  ['INTEGER) AS x', undefined],
  ['constructor', undefined],
  ['', undefined],
])('the SQL type %s is stored as %o', (sql, type) => {
  expect(deltaTypeOf(sql)).toEqual(type);
});

describe('any type that a table may have', () => {
  const primitive = fc.constantFrom<PrimitiveType>(
    ...(['boolean', 'byte', 'short', 'integer', 'long', 'float', 'double', 'string', 'binary'] as const),
    ...(['date', 'timestamp', 'timestamp_ntz', 'decimal(38,38)', 'decimal(9,0)'] as const),
  );
  const { type } = fc.letrec<{ type: DeltaType }>((tie) => {
    const field = fc.record({
      name: fc.stringMatching(/^[a-zA-Z][a-zA-Z "'(),]{0,5}$/),
      type: tie('type'),
      nullable: fc.constant(true),
      metadata: fc.constant({}),
    });
    const fields = fc.uniqueArray(field, { minLength: 1, maxLength: 3, selector: ({ name }) => name.toLowerCase() });
    return {
      type: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        primitive,
        fc.record({ type: fc.constant('array' as const), elementType: tie('type'), containsNull: fc.constant(true) }),
        fc.record({
          type: fc.constant('map' as const),
          keyType: primitive,
          valueType: tie('type'),
          valueContainsNull: fc.constant(true),
        }),
        fc.record({ type: fc.constant('struct' as const), fields }),
      ),
    };
  });

  let sql: SqlEngine;
  beforeAll(async () => {
    sql = await openSql({ threads: 1 });
  });
  afterAll(() => sql.close());

  test('is told to DuckDB and understood from its answer', async () => {
    await fc.assert(
      fc.asyncProperty(type, async (type) => {
        const [{ column_type: answer }] = await sql.rows(`DESCRIBE SELECT NULL::${sqlType(type)} AS x`);
        expect(deltaTypeOf(answer as string)).toEqual(type);
      }),
      { numRuns: 100 },
    );
  });

  test('survives being written to the log', () => {
    fc.assert(
      fc.property(type, (type) => {
        const schema: Schema = {
          type: 'struct',
          fields: [{ name: 'x', type, nullable: false, metadata: { note: 'y' } }],
        };
        expect(parseSchema(JSON.stringify(schema), 't')).toEqual(schema);
      }),
      { numRuns: 100 },
    );
  });
});
