import { say, sayShare } from '../governance/text.ts';
import type { ColumnDrift } from './drift.ts';

/** `age is up by 6.2 years (44.6 to 50.8)`; `region: southeast goes from 25.0 % to 33.1 %`. */
export function sayShift({ name, shift }: Pick<ColumnDrift, 'name' | 'shift'>, unit = ''): string {
  const { direction, level, reference, analysis, difference } = shift;
  if (level !== null) return `${name}: ${level} goes from ${sayShare(reference)} to ${sayShare(analysis)}`;
  if (direction === 'none') return `${name} has the same mean, ${say(reference)}`;
  const size = `${say(Math.abs(difference))}${unit === '' ? '' : ` ${unit}`}`;
  return `${name} is ${direction} by ${size} (${say(reference)} to ${say(analysis)})`;
}

/** `p 0.0123`, `p below 0.0001`. */
export function sayP(pValue: number): string {
  return pValue < 0.0001 ? 'p below 0.0001' : `p ${say(pValue)}`;
}
