import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../src/asl/jsonata.ts';
import type { Json } from '../../src/data/json.ts';
import { surroundings } from './run.ts';

const evaluate = async (source: string, input: Json = {}): Promise<Json | undefined> => {
  const { expression, problems } = compileExpression(source, ['input', 'context']);
  expect(problems).toEqual([]);
  return expression?.evaluate({ input, context: {} }, { known: 1 }, surroundings());
};

describe('the functions that Step Functions adds', () => {
  test.each<[string, Json | undefined]>([
    // The first four are examples of the documentation, "Transforming data with JSONata".
    [
      '$partition([1, 2, 3, 4], 2)',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['$range(0, 1, 0.25)', [0, 0.25, 0.5, 0.75, 1]],
    ['$parse(\'{"a": [1, null]}\')', { a: [1, null] }],
    ['$hash("input", "SHA-1")', '140f86aae51ab9e1cda9b4254fe98a74eb54c1a1'],
    ['$partition([1, 2, 3], 2.9)', [[1, 2], [3]]],
    ['$partition([], 2)', undefined],
    ['$partition([1, 2], 0)', undefined],
    ['$partition([1, 2])', [[1, 2]]],
    ['$range(0, 0.3, 0.1)', [0, 0.1, 0.2, 3 * 0.1]],
    ['$range(5, 1, -2)', [5, 3, 1]],
    ['$range(1, 5, -1)', undefined],
    ['$range(1, 5, 0)', undefined],
    ['$range(3, 3, 1)', 3],
    // Published digests of the empty text.
    ['$hash("", "MD5")', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['$hash("", "SHA-256")', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['$substring($hash("", "SHA-384"), 0, 16)', '38b060a751ac9638'],
    ['$substring($hash("", "SHA-512"), 0, 16)', 'cf83e1357eefb8bd'],
    // java.util.Random(42).nextDouble() and java.util.Random(0).nextDouble().
    ['$random(42)', 0.7275636800328681],
    ['$random(0)', 0.730967787376657],
    ['$random()', 0.5],
    ['$uuid()', 'id-1'],
    ['$now()', '2026-01-01T00:00:00.000Z'],
    ['$now("[Y0001]/[M01]")', '2026/01'],
    ['$millis()', Date.UTC(2026, 0, 1)],
    ['$count($shuffle([1, 2, 3]))', 3],
  ])('%s', async (source, value) => {
    expect(await evaluate(source)).toEqual(value);
  });

  test.each([
    ['$parse("{")', 'D3137: Invalid JSON'],
    ['$partition([1], -1)', 'D3137: Second argument must be zero or greater'],
    ['$hash("a", "CRC")', "D3137: Hash algorithm 'CRC' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"],
    ['$uuid(1)', 'T0410: Argument 1 of function "uuid" does not match function signature'],
    ['$range()', 'T0410: Argument 1 of function "range" does not match function signature'],
    ['$eval("1 + 1")', 'T1006: Attempted to invoke a non-function'],
    ['1 + "a"', 'T2002: The right side of the "+" operator must evaluate to a number'],
  ])('%s fails', async (source, message) => {
    await expect(evaluate(source)).rejects.toThrow(message);
  });

  test('recursion goes 100 deep and no deeper', async () => {
    const nested = (depth: number) => `${'$string('.repeat(depth)}1${')'.repeat(depth)}`;
    expect(await evaluate(nested(99))).toBe('1');
    await expect(evaluate(nested(101))).rejects.toThrow('D1011');
  });
});

describe('a result is plain JSON', () => {
  test.each<[string, Json | undefined]>([
    ['$sum', undefined],
    ['[1, $sum]', [1]],
    ['{"f": $sum, "n": null}', { n: null }],
    ['1 / 0', 'Infinity'],
    ['$known', 1],
    ['$unknown', undefined],
    ['$states.input.items[price > 2].name', ['b', 'c']],
  ])('%s', async (source, value) => {
    const items = [
      { name: 'a', price: 1 },
      { name: 'b', price: 3 },
      { name: 'c', price: 4 },
    ];
    expect(await evaluate(source, { items })).toEqual(value);
  });
});

describe('what Step Functions refuses when a machine is created', () => {
  const top = (name: string) =>
    `UNSUPPORTED_JSONATA_EXPRESSION: Reference to '${name}' at the top level is not supported.`;
  test.each([
    ['phone', top('phone')],
    ['$', top('$')],
    ['$$.a', top('$$')],
    ['{"a": b}', top('b')],
    ['$states.input.a + c', top('c')],
    ['*', top('*')],
    ['**.a', top('**')],
    ['$states.result', "INVALID_JSONATA_EXPRESSION: Field '$states.result' does not exist."],
    ['$states.errorOutput.Error', "INVALID_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist."],
    ['$states.output', "INVALID_JSONATA_EXPRESSION: Field '$states.output' does not exist."],
    ['(1', 'INVALID_JSONATA_EXPRESSION: Expected ")" before end of expression'],
  ])('%s', (source, problem) => {
    expect(compileExpression(source, ['input', 'context']).problems).toEqual([problem]);
  });

  test.each([
    '$states.input.a[b = 1].c',
    '$states.input.a.{"x": y}',
    '$states.input.a^(>b)',
    '$states.input.a{b: $sum(c)}',
    '$map($states.input.a, function($v) { $v.b })',
    '$states.input ~> |a|{"b": c}|',
    '($x := $states.input; $x.a)',
  ])('%s is accepted: its names belong to data at hand', (source) => {
    expect(compileExpression(source, ['input', 'context']).problems).toEqual([]);
  });
});
