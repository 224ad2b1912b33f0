/**
 * What a text of the strict grammar (`patterns` in `quality/grammar.ts`) says, read from its bytes. NaN for any other text and for values
 * that doubles do not hold exactly: those are for SQL to judge, which knows the whole grammar and reads them more slowly.
 */
export type ParseText = (bytes: Uint8Array, from: number, to: number) => number;

const [minus, plus, point, colon, space, zero, letterT, letterZ] = Array.from('-+.: 0TZ', (c) => c.charCodeAt(0));

/** Digits of which every number is exact as a double. */
const exactDigits = 15;

/** The number's digits without its point, with `scale` of them behind it; of a whole number `scale` is 0. */
export function scaled(scale: number, least: number, greatest: number): ParseText {
  return (bytes, from, to) => {
    const negative = bytes[from] === minus;
    const first = negative ? from + 1 : from;
    let at = first;
    let value = 0;
    for (; at < to; at++) {
      const digit = bytes[at] - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    // no digit, or a needless zero
    if (at === first || (bytes[first] === zero && at > first + 1)) return NaN;
    let digits = at - first;
    let missing = scale;
    if (at < to) {
      if (bytes[at] !== point || at + 1 === to || to - at - 1 > scale) return NaN;
      missing -= to - at - 1;
      digits += to - at - 1;
      for (at++; at < to; at++) {
        const digit = bytes[at] - zero;
        if (digit < 0 || digit > 9) return NaN;
        value = value * 10 + digit;
      }
    }
    if (digits + missing > exactDigits) return NaN;
    for (; missing > 0; missing--) value *= 10;
    if (negative) value = 0 - value;
    return value >= least && value <= greatest ? value : NaN;
  };
}

/** The nearest double. */
export const double: ParseText = (bytes, from, to) => {
  const negative = bytes[from] === minus;
  const first = negative ? from + 1 : from;
  let at = first;
  let value = 0;
  for (; at < to; at++) {
    const digit = bytes[at] - zero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === first || (bytes[first] === zero && at > first + 1)) return NaN;
  let digits = at - first;
  let decimals = 0;
  if (at < to) {
    decimals = to - at - 1;
    if (bytes[at] !== point || decimals === 0) return NaN;
    digits += decimals;
    for (at++; at < to; at++) {
      const digit = bytes[at] - zero;
      if (digit < 0 || digit > 9) return NaN;
      value = value * 10 + digit;
    }
  }
  // two exact numbers have one nearest quotient; of more digits the nearest double is looked for
  if (digits <= exactDigits) value /= powersOfTen[decimals];
  else if (digits > mostDigits) return NaN;
  else value = Number(String.fromCharCode(...bytes.subarray(first, to)));
  return negative ? -value : value;
};

/** Of a double with any sense; no number of them is infinite. */
const mostDigits = 300;

const powersOfTen = Array.from({ length: exactDigits + 1 }, (_, exponent) => Number(`1e${exponent}`));

/** 1 for true, 0 for false. */
export const boolean: ParseText = (bytes, from, to) =>
  matches(bytes, from, to, trueBytes) ? 1 : matches(bytes, from, to, falseBytes) ? 0 : NaN;

const [trueBytes, falseBytes] = ['true', 'false'].map((text) => new TextEncoder().encode(text));

function matches(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

/** Days since 1970. */
export const date: ParseText = (bytes, from, to) => (to - from === 10 ? daysAt(bytes, from) : NaN);

/** Microseconds since 1970, for which a double has room from 1900 to 2199; a time without zone is UTC. */
export const instant: ParseText = (bytes, from, to) => {
  if (to - from < 19 || (bytes[from + 10] !== letterT && bytes[from + 10] !== space)) return NaN;
  const days = daysAt(bytes, from);
  if (!(days >= firstDay && days < firstDayAfter)) return NaN;
  if (bytes[from + 13] !== colon || bytes[from + 16] !== colon) return NaN;
  const hours = twoDigits(bytes, from + 11);
  const minutes = twoDigits(bytes, from + 14);
  const seconds = twoDigits(bytes, from + 17);
  if (!(hours < 24 && minutes < 60 && seconds < 60)) return NaN;
  let at = from + 19;
  let fraction = 0;
  if (at < to && bytes[at] === point) {
    let unit = 1_000_000;
    for (at++; at < to && unit > 1; at++) {
      const digit = bytes[at] - zero;
      if (digit < 0 || digit > 9) break;
      unit /= 10;
      fraction += digit * unit;
    }
    if (unit === 1_000_000) return NaN;
  }
  const offset = offsetMinutes(bytes, at, to);
  return (days * 86_400 + hours * 3600 + (minutes - offset) * 60 + seconds) * 1_000_000 + fraction;
};

/** Of what stands behind a time: nothing, `Z`, or `-14:59` to `+14:59`. */
function offsetMinutes(bytes: Uint8Array, at: number, to: number): number {
  if (at === to || (at + 1 === to && bytes[at] === letterZ)) return 0;
  const sign = bytes[at] === plus ? 1 : bytes[at] === minus ? -1 : NaN;
  if (to - at !== 6 || bytes[at + 3] !== colon) return NaN;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  return hours <= 14 && minutes < 60 ? sign * (hours * 60 + minutes) : NaN;
}

/** Of `2026-02-28`; NaN for a day that is not in the calendar, and for the year 0. */
function daysAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== minus || bytes[at + 7] !== minus) return NaN;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return NaN;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > daysIn[month - 1] + (month === 2 && isLeap ? 1 : 0)) return NaN;
  return dayNumber(year, month, day);
}

const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970 of the proleptic Gregorian calendar, its years counted from March: leap days then end a year. */
function dayNumber(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return shifted * 365 + leapDays + dayOfYear - 719_468;
}

const firstDay = dayNumber(1900, 1, 1);
const firstDayAfter = dayNumber(2200, 1, 1);

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - zero;
  const ones = bytes[at + 1] - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}
