import type { Estimate, Unit } from './facts.ts';

/** Joins a number to what follows it, so that no line ends between them. */
const narrowSpace = '\u202f';
const minus = '\u2212';
export const notAvailable = 'n/a';

const currencySigns: Record<string, string> = { USD: '$', GBP: '£', EUR: '€', JPY: '¥' };

/** A number with its unit, as people write it: `$4,912`, `84.3 %`, `0.843`, `43 years`. Missing numbers are `n/a`. */
export function quantity(value: number, unit: Unit, decimals = decimalsFor(value, unit)): string {
  if (!known(value)) return notAvailable;
  if (unit === 'share') return `${plain(value * 100, decimals)}${narrowSpace}%`;
  if (isCurrency(unit)) return money(value, unit, decimals);
  const number = plain(value, decimals);
  return unit === '' || unit === 'count' ? number : `${number}\u00a0${unit}`;
}

/** A limit, with the decimals that it was given with: `0.8`, `$3,000`, `50 %`. */
export function limit(value: number, unit: Unit): string {
  const shown = unit === 'share' ? value * 100 : value;
  const decimals = [0, 1, 2, 3, 4].find((digits) => Math.abs(shown - Number(shown.toFixed(digits))) < 1e-9);
  return quantity(value, unit, decimals);
}

/** `44.8 → 51.2 years`: a unit that stands behind its number is written once. */
export function change(from: number, to: number, unit: Unit): string {
  const decimals = precision([from, to], unit);
  const before = unit === 'share' || isCurrency(unit) ? unit : '';
  return `${quantity(from, before, decimals)} → ${quantity(to, unit, decimals)}`;
}

/** Decimals at which a column of numbers lines up: those of its largest. */
export function precision(values: Iterable<number>, unit: Unit): number {
  let largest = 0;
  for (const value of values) if (known(value)) largest = Math.max(largest, Math.abs(value));
  return decimalsFor(largest, unit);
}

/** A change: as `quantity`, with its sign always written. */
export function signed(value: number, unit: Unit, decimals = decimalsFor(value, unit)): string {
  const text = quantity(value, unit, decimals);
  return known(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** `0.839 (0.812 – 0.861)`: the value and its interval, all to the same decimals; the value alone where there is no interval. */
export function estimate({ value, low, high }: Estimate, unit: Unit): string {
  const decimals = decimalsFor(value, unit);
  if (!known(low) && !known(high)) return quantity(value, unit, decimals);
  return `${quantity(value, unit, decimals)} (${range(low, high, unit, decimals)})`;
}

/** `$1,240 – $1,372`, or `−0.01 to 0.03` where a dash could be read as a sign. */
export function range(low: number, high: number, unit: Unit, decimals = precision([low, high], unit)): string {
  const [from, to] = [quantity(low, unit, decimals), quantity(high, unit, decimals)];
  return low < 0 || high < 0 ? `${from} to ${to}` : `${from} – ${to}`;
}

/** The unit is not repeated at every tick of an axis that carries it in its caption; money is shortened: `$20k`. */
export function tick(value: number, unit: Unit, step: number): string {
  const scaled = unit === 'share' ? step * 100 : step;
  if (isCurrency(unit) && step >= 1000 && value !== 0)
    return `${money(value / 1000, unit, step % 1000 === 0 ? 0 : 1)}k`;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(scaled) + 1e-9)));
  return unit === 'share' || isCurrency(unit) ? quantity(value, unit, decimals) : plain(value, decimals);
}

/** Whole numbers with thousands separators; `undefined` and NaN are `n/a`. */
export function count(value: number): string {
  return quantity(value, 'count');
}

/** `1 row`, `4,912 rows`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

export function percent(share: number, decimals?: number): string {
  return quantity(share, 'share', decimals);
}

/** `0.4 s`, `42 s`, `3 min 20 s`, `1 h 05 min`. */
export function duration(seconds: number): string {
  if (!known(seconds)) return notAvailable;
  if (seconds < 10) return `${plain(seconds, seconds < 0.095 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  return `${count(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `p < 0.001`, `p = 0.03`. */
export function pValue(p: number): string {
  if (!known(p)) return notAvailable;
  if (p < 0.001) return '< 0.001';
  return plain(p, p < 0.1 ? 3 : 2);
}

/** `1 March 2026, 02:00 UTC` from ISO 8601; what is not a date is printed as it came. */
export function instant(iso: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  const utc = new Date(at).toISOString();
  const month = months[Number(utc.slice(5, 7)) - 1];
  return `${Number(utc.slice(8, 10))} ${month} ${utc.slice(0, 4)}, ${utc.slice(11, 16)} UTC`;
}

/** Numbered versions get their v: `v3`; names stay as they are. */
export function versionName(version: string): string {
  return /^\d+$/.test(version) ? `v${version}` : version;
}

/** Names in a sentence: `age, bmi and smoker`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** About how wide a text is set, in pixels: 0.56 em a letter holds for the usual interface fonts. */
export function textWidth(text: string, fontPixels = 12): number {
  return text.length * fontPixels * 0.56;
}

/** Cuts a text that would not fit out of its middle, because names often differ at their ends. */
export function fit(text: string, widthPixels: number, fontPixels = 12): string {
  const letters = Math.max(3, Math.floor(widthPixels / textWidth(' ', fontPixels)));
  if (text.length <= letters) return text;
  const tail = Math.floor((letters - 1) / 2);
  const [start, end] = [text.slice(0, letters - 1 - tail), text.slice(text.length - tail)];
  // a cut may halve a character outside the basic plane
  return `${start}…${end}`.toWellFormed().replaceAll('\ufffd', '');
}

/** Not NaN, not infinite, and not the null that JSON makes of both. */
export function known(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

const months = 'January February March April May June July August September October November December'.split(' ');

function isCurrency(unit: Unit): boolean {
  return /^[A-Z]{3}$/.test(unit);
}

function money(value: number, unit: Unit, decimals: number): string {
  const amount = plain(Math.abs(value), decimals);
  const sign = value < 0 && /[1-9]/.test(amount) ? minus : '';
  return unit in currencySigns ? `${sign}${currencySigns[unit]}${amount}` : `${sign}${unit}\u00a0${amount}`;
}

/** About three significant figures, and never fractions of what comes in wholes. */
function decimalsFor(value: number, unit: Unit): number {
  if (unit === 'count' || !known(value)) return 0;
  const size = Math.abs(unit === 'share' ? value * 100 : value);
  if (isCurrency(unit)) return size >= 100 || Number.isInteger(size) ? 0 : 2;
  if (unit === 'share') return size === 0 ? 0 : size < 0.1 ? 2 : 1;
  if (size === 0 || size >= 100 || (unit !== '' && Number.isInteger(size))) return 0;
  if (size >= 10 || (size >= 1 && unit !== '')) return 1;
  if (size >= 1) return 2;
  return size >= 0.001 ? 3 : 5;
}

function plain(value: number, decimals: number): string {
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split('.');
  const digits = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (fraction === undefined ? '' : `.${fraction}`);
  return value < 0 && /[1-9]/.test(digits) ? minus + digits : digits;
}
