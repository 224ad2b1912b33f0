import type { Column } from '../contract/contract.ts';
import { storedType } from '../contract/silver.ts';
import type { Form } from '../csv-segments.ts';

/**
 * By bytes what `patterns` of `grammar.ts` say, for a column whose texts are cast as they are written: where a whole segment has
 * the form, SQL can leave out the pattern, which costs it more than the cast. Of decimals also the digits after the point are
 * checked. Undefined for columns without a form of their own.
 */
export function formOf(column: Column): Form | undefined {
  if (column.letterCase !== undefined || column.values !== undefined) return undefined;
  const decimal = /^DECIMAL\(\d+,(\d+)\)$/.exec(storedType(column));
  if (decimal) return number(Number(decimal[1]));
  return { string: undefined, integer, number: number(Infinity), boolean, date, timestamp }[column.type];
}

const [minus, plus, point, colon, space, zero, letterT, letterZ] = Array.from('-+.: 0TZ', (c) => c.charCodeAt(0));

const isDigit = (byte: number): boolean => byte >= zero && byte <= zero + 9;

/** The position behind the digits that begin at `at`. */
function digits(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && isDigit(bytes[at])) at++;
  return at;
}

/** The position behind a whole number without needless zeros; -1 where there is none. */
function whole(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from] === minus ? from + 1 : from;
  const end = digits(bytes, first, to);
  return end === first || (bytes[first] === zero && end > first + 1) ? -1 : end;
}

function integer(bytes: Uint8Array, from: number, to: number): boolean {
  return whole(bytes, from, to) === to;
}

function number(mostDecimals: number): Form {
  return (bytes, from, to) => {
    const end = whole(bytes, from, to);
    if (end === to) return true;
    if (end < 0 || bytes[end] !== point) return false;
    return digits(bytes, end + 1, to) === to && to > end + 1 && to - end - 1 <= mostDecimals;
  };
}

function boolean(bytes: Uint8Array, from: number, to: number): boolean {
  return matches(bytes, from, to, trueBytes) || matches(bytes, from, to, falseBytes);
}

const [trueBytes, falseBytes] = ['true', 'false'].map((text) => new TextEncoder().encode(text));

function matches(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

function date(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === 10 && isDate(bytes, from, to);
}

/** `2026-02-28` and perhaps more behind it. */
function isDate(bytes: Uint8Array, from: number, to: number): boolean {
  return (
    digits(bytes, from, to) === from + 4 &&
    bytes[from + 4] === minus &&
    digits(bytes, from + 5, to) === from + 7 &&
    bytes[from + 7] === minus &&
    digits(bytes, from + 8, to) === from + 10
  );
}

function timestamp(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 19 || !isDate(bytes, from, to)) return false;
  const between = bytes[from + 10];
  const isClock =
    (between === letterT || between === space) &&
    digits(bytes, from + 11, to) === from + 13 &&
    bytes[from + 13] === colon &&
    digits(bytes, from + 14, to) === from + 16 &&
    bytes[from + 16] === colon;
  const seconds = digits(bytes, from + 17, to);
  if (!isClock || seconds !== from + 19) return false;
  let at = seconds;
  if (at < to && bytes[at] === point) {
    at = digits(bytes, at + 1, to);
    if (at === seconds + 1 || at > seconds + 7) return false;
  }
  if (at === to) return true;
  if (bytes[at] === letterZ) return at + 1 === to;
  return (bytes[at] === minus || bytes[at] === plus) && to - at === 6 && isOffset(bytes, at + 1, to);
}

/** `00:00` to `14:59`. */
function isOffset(bytes: Uint8Array, from: number, to: number): boolean {
  if (digits(bytes, from, to) !== from + 2 || bytes[from + 2] !== colon || digits(bytes, from + 3, to) !== to)
    return false;
  const hours = (bytes[from] - zero) * 10 + bytes[from + 1] - zero;
  return hours <= 14 && bytes[from + 3] < zero + 6;
}
