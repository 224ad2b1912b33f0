import { scaleLinear } from 'd3-scale';
import type { ScaleLinear } from 'd3-scale';
import type { Unit } from './facts.ts';
import { known, tick } from './format.ts';

export type Scale = ScaleLinear<number, number>;

/**
 * A linear scale that also stands when there is nothing to span: missing values are passed over, no value at all gives
 * 0 to 1, and equal values get room on both sides. `padding` is a share of the span.
 */
export function spanning(values: Iterable<number>, range: readonly [number, number], padding = 0): Scale {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!known(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  // a span below the resolution of doubles would give infinite slopes
  if (high - low <= Math.abs(high) * 1e-9) {
    const room = Math.abs(high) * 0.1 || 1;
    [low, high] = [low - room, high + room];
  }
  const room = (high - low) * padding;
  return scaleLinear([low - room, high + room], range);
}

/** Round positions along a scale, each with its label. */
export function ticks(scale: Scale, about: number, unit: Unit): { at: number; value: number; label: string }[] {
  const values = scale.ticks(about);
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0] ?? 1) || 1;
  return values.map((value) => ({ at: scale(value), value, label: tick(value, unit, step) }));
}
