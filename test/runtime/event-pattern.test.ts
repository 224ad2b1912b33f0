import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/data/json.ts';
import { compileEventPattern, InvalidEventPattern } from '../../src/runtime/event-pattern.ts';

type Fields = { [name: string]: Json };
const matches = (pattern: Json, event: Fields) => compileEventPattern(pattern)(event);
/** One field, for the operators. */
const field = (values: Json, value: Json) => matches({ detail: { f: values } }, { detail: { f: value } });

const drop = {
  version: '0',
  source: 'aws.s3',
  'detail-type': 'Object Created',
  resources: ['arn:aws:s3:::bronze'],
  detail: {
    bucket: { name: 'bronze' },
    object: { key: 'drops/insurance-cost/policies/a.csv', size: 5120 },
    reason: 'PutObject',
  },
};

describe('fields', () => {
  test('all fields of the pattern must match; what it does not mention may be anything', () => {
    const pattern = {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: ['silver', 'bronze'] }, object: { key: [{ prefix: 'drops/' }] } },
    };
    expect(matches(pattern, drop)).toBe(true);
    expect(matches({ ...pattern, source: ['aws.ec2'] }, drop)).toBe(false);
    expect(matches({ ...pattern, account: ['123'] }, drop)).toBe(false);
  });

  test('exact values compare with their type: text, number, boolean, null and the empty text', () => {
    const plain = ['', 'true', '1', 1, 0, true, false, null];
    for (const wanted of plain) {
      expect(plain.filter((value) => field([wanted], value))).toEqual([wanted]);
    }
  });

  test('an object in the event is no value, and a value is no object', () => {
    expect(matches({ detail: ['x'] }, drop)).toBe(false);
    expect(matches({ source: { name: ['aws.s3'] } }, drop)).toBe(false);
  });
});

describe('arrays in the event', () => {
  test('one element in common is enough', () => {
    expect(matches({ resources: ['arn:x', 'arn:aws:s3:::bronze'] }, drop)).toBe(true);
    expect(field(['b'], ['a', 'b'])).toBe(true);
    expect(field(['b'], [['a', ['b']]])).toBe(true);
    expect(field(['b'], [])).toBe(false);
  });

  test('two fields must match within the same element', () => {
    // the example of event-ruler's documentation
    const event = {
      employees: [
        { firstName: 'John', lastName: 'Doe' },
        { firstName: 'Anna', lastName: 'Smith' },
        { firstName: 'Peter', lastName: 'Jones' },
      ],
    };
    expect(matches({ employees: { firstName: ['Anna'] } }, event)).toBe(true);
    expect(matches({ employees: { firstName: ['Anna'], lastName: ['Smith'] } }, event)).toBe(true);
    expect(matches({ employees: { firstName: ['Anna'], lastName: ['Jones'] } }, event)).toBe(false);
    const nested = {
      teams: [
        { name: 'a', people: [{ id: 1 }, { id: 2 }] },
        { name: 'b', people: [{ id: 3 }] },
      ],
    };
    expect(matches({ teams: { name: ['a'], people: { id: [2] } } }, nested)).toBe(true);
    expect(matches({ teams: { name: ['b'], people: { id: [2] } } }, nested)).toBe(false);
  });

  test('an earlier choice is taken back when a later field rules it out', () => {
    const event = {
      list: [
        { a: 1, b: 1 },
        { a: 1, b: 2 },
      ],
    };
    expect(matches({ list: { a: [1], b: [2] } }, event)).toBe(true);
  });
});

describe('operators', () => {
  // [pattern values, matching values, values that do not match]
  const cases: [string, Json, Json[], Json[]][] = [
    ['prefix', [{ prefix: 'us-' }], ['us-', 'us-east-1'], ['US-east-1', 'eu-us-', '', 5, null]],
    ['prefix ignoring case', [{ prefix: { 'equals-ignore-case': 'EventB' } }], ['EVENTBridge'], ['event']],
    ['suffix', [{ suffix: '.csv' }], ['.csv', 'a.csv'], ['a.CSV', 'a.csv.gz', null]],
    ['suffix ignoring case', [{ suffix: { 'equals-ignore-case': '.Csv' } }], ['a.CSV'], ['csv']],
    ['equals-ignore-case', [{ 'equals-ignore-case': 'Alice' }], ['alice', 'ALICE'], ['alice ', 'bob', 1]],
    ['wildcard', [{ wildcard: 'dir/*.png' }], ['dir/.png', 'dir/a/b.png'], ['dir/a.jpg', 'x/dir/a.png']],
    ['wildcard with several stars', [{ wildcard: '*ab*ba*' }], ['abba', 'xabxbax', 'ab\nba'], ['aba', 'baab']],
    ['wildcard whose ends may not overlap', [{ wildcard: 'aba*aba' }], ['abaaba'], ['aba', 'ababa']],
    ['wildcard without a star', [{ wildcard: 'a.b' }], ['a.b'], ['axb', 'a.bc']],
    ['wildcard with escapes', [{ wildcard: 'a\\*b\\\\*' }], ['a*b\\', 'a*b\\c'], ['axb\\', 'a*b']],
    ['numeric equality', [{ numeric: ['=', 100] }], [100], [100.5, '100', null]],
    ['numeric range', [{ numeric: ['>', 0, '<=', 5] }], [0.001, 5], [0, 5.1, '3']],
    ['numeric bound', [{ numeric: ['<', -1.5] }], [-2], [-1.5, 0]],
    ['exists', [{ exists: true }], ['x', '', 0, false, null], [{ inner: 1 }, []]],
    ['exists false', [{ exists: false }], [{ inner: 1 }, []], ['x', null]],
    ['anything-but', [{ 'anything-but': 'init' }], ['other', '', 7, null], ['init']],
    ['anything-but of several', [{ 'anything-but': ['a', 'b'] }], ['c'], ['a', 'b']],
    ['anything-but of numbers', [{ 'anything-but': [100, 200] }], [300, '100'], [100, 200]],
    ['anything-but prefix', [{ 'anything-but': { prefix: 'us-' } }], ['eu-1', 5], ['us-east-1']],
    ['anything-but prefixes', [{ 'anything-but': { prefix: ['us-', 'eu-'] } }], ['ap-1'], ['us-1', 'eu-1']],
    ['anything-but suffix', [{ 'anything-but': { suffix: '.png' } }], ['a.csv'], ['a.png']],
    ['anything-but ignoring case', [{ 'anything-but': { 'equals-ignore-case': ['INIT', 'x'] } }], ['y'], ['init', 'X']],
    ['anything-but wildcard', [{ 'anything-but': { wildcard: '*/lib/*' } }], ['src/a'], ['src/lib/a']],
    ['several operators: one is enough', [{ prefix: 'a' }, { suffix: 'z' }, 7], ['ab', 'yz', 7], ['bc', 8]],
  ];
  test.each(cases)('%s', (_, values, matching, others) => {
    expect(matching.filter((value) => !field(values, value))).toEqual([]);
    expect(others.filter((value) => field(values, value))).toEqual([]);
  });

  test('anything-but needs the field to be there; exists false needs it, or all above it, not to be', () => {
    expect(matches({ detail: { state: [{ 'anything-but': 'x' }] } }, drop)).toBe(false);
    expect(matches({ detail: { state: [{ exists: false }] } }, drop)).toBe(true);
    expect(matches({ more: { state: [{ exists: false }] } }, drop)).toBe(true);
    expect(matches({ detail: { reason: [{ exists: false }] } }, drop)).toBe(false);
    expect(matches({ detail: { reason: [{ exists: false }, 'PutObject'] } }, drop)).toBe(true);
  });
});

describe('$or', () => {
  const pattern: Json = {
    source: ['aws.cloudwatch'],
    $or: [
      { metricName: ['CPUUtilization'] },
      { metricType: ['Rate'], $or: [{ metricId: [1234] }, { spaceId: [1000] }] },
      { detail: { scope: ['Service'] } },
    ],
  };
  const base = { source: 'aws.cloudwatch' };

  test('one alternative is enough, the fields beside it still count', () => {
    expect(matches(pattern, { ...base, metricName: 'CPUUtilization' })).toBe(true);
    expect(matches(pattern, { ...base, metricType: 'Rate', spaceId: 1000 })).toBe(true);
    expect(matches(pattern, { ...base, detail: { scope: 'Service' } })).toBe(true);
    expect(matches(pattern, { ...base, metricType: 'Rate' })).toBe(false);
    expect(matches(pattern, { source: 'x', metricName: 'CPUUtilization' })).toBe(false);
  });
});

test.each<[string, Json, string]>([
  ['an unknown operator', { detail: { ip: [{ cidr: '10.0.0.0/24' }] } }, 'at detail.ip: there is no operator cidr'],
  ['a misspelt operator', { detail: { f: [{ anything_but: 'x' }] } }, 'no operator anything_but'],
  [
    'an unknown operator within anything-but',
    { f: [{ 'anything-but': { numeric: ['>', 1] } }] },
    'no operator numeric',
  ],
  ['an unknown operator within prefix', { f: [{ prefix: { wildcard: 'x' } }] }, 'prefix knows no operator wildcard'],
  ['two operators in one object', { f: [{ prefix: 'a', suffix: 'b' }] }, 'exactly one operator'],
  ['a bare value', { source: 'aws.s3' }, 'at source: values stand in an array'],
  ['an empty pattern', {}, 'at its top: an object with at least one field'],
  ['an empty inner pattern', { detail: {} }, 'at detail: an object'],
  ['an empty list', { source: [] }, 'at source: an empty array'],
  ['an array in an array', { f: [['a']] }, 'an array within an array'],
  ['a prefix that is no text', { f: [{ prefix: 5 }] }, 'prefix takes a text'],
  ['exists with a text', { f: [{ exists: 'true' }] }, 'exists takes true or false'],
  ['numeric with a text', { f: [{ numeric: ['>', '5'] }] }, 'numeric compares with numbers'],
  ['numeric beyond the range', { f: [{ numeric: ['>', 6e9] }] }, 'numeric compares with numbers'],
  ['numeric with an unknown comparison', { f: [{ numeric: ['!=', 5] }] }, 'numeric takes'],
  ['numeric with two lower bounds', { f: [{ numeric: ['>', 5, '>', 6] }] }, 'numeric takes'],
  ['numeric without a number', { f: [{ numeric: ['>'] }] }, 'numeric takes'],
  ['anything-but of mixed types', { f: [{ 'anything-but': ['a', 1] }] }, 'texts only or numbers only'],
  ['anything-but of nothing', { f: [{ 'anything-but': [] }] }, 'texts only or numbers only'],
  ['a wildcard with two stars in a row', { f: [{ wildcard: 'a**b' }] }, 'no two * in a row'],
  ['a wildcard with a stray backslash', { f: [{ wildcard: 'a\\b' }] }, 'backslash'],
  ['$or with one alternative', { $or: [{ a: [1] }] }, 'at $or: $or takes an array of at least two'],
])('%s is refused by name', (_, pattern, message) => {
  expect(() => compileEventPattern(pattern)).toThrow(InvalidEventPattern);
  expect(() => compileEventPattern(pattern)).toThrow(message);
});

test('wildcards agree with a naive recursive matcher', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  const wildcard = fc
    .array(fc.constantFrom('a', 'b', '*'), { maxLength: 7 })
    .map((tokens) => tokens.join('').replace(/\*+/g, '*'));
  fc.assert(
    fc.property(wildcard, letters, (pattern, value) => {
      expect(field([{ wildcard: pattern }], value)).toBe(naiveGlob(pattern, value));
    }),
    { numRuns: 500 },
  );
});

function naiveGlob(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  if (pattern[0] === '*')
    return naiveGlob(pattern.slice(1), value) || (value !== '' && naiveGlob(pattern, value.slice(1)));
  return pattern[0] === value[0] && naiveGlob(pattern.slice(1), value.slice(1));
}
