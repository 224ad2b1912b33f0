import type { Bin } from '../facts.ts';
import { count } from '../format.ts';
import { el } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { closedBins, safeBins } from './bins.ts';
import type { Closed } from './bins.ts';
import { round } from './marks.ts';

const [width, height] = [112, 24];

/**
 * A distribution in the height of a table row: bins of numbers as one outline whose area is true to the counts (pooled
 * bins are wider, not higher), levels as separate bars. The table row around it holds its numbers.
 */
export function sparkline(name: string, bins: readonly Bin[]): Markup {
  const shown = safeBins(bins);
  const closed = closedBins(shown);
  return el(
    'svg',
    {
      role: 'img',
      class: 'chart spark',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    el('title', {}, `Distribution of ${name}`),
    el('desc', {}, words(shown)),
    shown.length > 0 && el('path', { d: closed ? outline(closed) : bars(shown), class: 'fill quiet' }),
  );
}

function outline(bins: readonly Closed<Bin>[]): string {
  const [low, high] = [bins[0].from, bins.at(-1)!.to];
  const x = (value: number) => round(((value - low) / (high - low)) * width);
  const density = (bin: Closed<Bin>) => bin.rows / (bin.to - bin.from);
  const most = Math.max(...bins.map(density)) || 1;
  const steps = bins.map((bin) => `V${y(density(bin) / most)}H${x(bin.to)}`);
  return `M0 ${height}${steps.join('')}V${height}z`;
}

function bars(levels: readonly Bin[]): string {
  const step = width / levels.length;
  const most = Math.max(...levels.map((level) => level.rows)) || 1;
  const bar = (level: Bin, i: number) =>
    `M${round(i * step)} ${height}V${y(level.rows / most)}H${round((i + 1) * step - 2)}V${height}z`;
  return levels.map(bar).join('');
}

function y(share: number): number {
  return round(height - share * (height - 2));
}

function words(bins: readonly Bin[]): string {
  const listed = bins.map((bin) => `${bin.label} ${count(bin.rows)}`);
  if (bins.length <= 6) return listed.join(', ');
  const fullest = bins.reduce((most, bin, b) => (bin.rows > bins[most].rows ? b : most), 0);
  return `${count(bins.length)} bins from ${bins[0].label} to ${bins.at(-1)!.label}, the fullest ${listed[fullest]}`;
}
