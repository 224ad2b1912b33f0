import type { TestMetric, TestMetrics } from '../facts.ts';
import type { Figure, LegendItem } from '../figure.ts';
import { counted, estimate, known, limit as written, listed, quantity } from '../format.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import { mark } from './marks.ts';
import type { Shape } from './marks.ts';
import { drawStrips } from './strips.ts';

/** Baselines get their shape by their order, so that the same one looks the same in every row. */
const baselineShapes: readonly Shape[] = ['square', 'triangle', 'ring'];

/** Metrics on the test rows with intervals, against their limits and against the baselines, each on its own scale. */
export function testMetrics(facts: TestMetrics): Figure {
  const baselines = [...new Set(facts.metrics.flatMap((metric) => (metric.baselines ?? []).map(({ name }) => name)))];
  const shape = (name: string) => baselineShapes[Math.min(baselines.indexOf(name), baselineShapes.length - 1)];
  return {
    title: metricsHeadline(facts).sentence,
    description: `One row per metric on its own scale: the dot is the value on the ${facts.set}, the line its 95 % interval, the dashed line the limit, the tint the side where the value should lie. ${facts.metrics.map((metric) => `${metric.name} ${estimate(metric.estimate, metric.unit)}${limitText(metric, ', asked for ')}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'value and 95 % interval' },
      { sample: el('path', { d: 'M0-6V6', class: 'line limit' }), text: 'limit' },
      ...baselines.map((name): LegendItem => ({ sample: mark(shape(name), 0, 0, 'muted'), text: name })),
    ],
    note: 'An arrow beside a mark says that it lies beyond the scale. Intervals are from resampling the test rows.',
    draw: (frame) =>
      drawStrips(
        facts.metrics.map((metric) => ({
          name: metric.name,
          unit: metric.unit,
          value: estimate(metric.estimate, metric.unit),
          estimate: metric.estimate,
          met: metric.limit?.met,
          wanted: metric.limit && { from: metric.limit.min, to: metric.limit.max, text: limitText(metric) },
          others: (metric.baselines ?? []).map(({ name, value }) => ({ at: value, shape: shape(name) })),
        })),
        frame,
      ),
    table: {
      columns: [
        { label: 'Metric' },
        { label: 'Value (95 % interval)', numeric: true },
        { label: 'Limit', numeric: true },
        { label: 'Met' },
        ...baselines.map((name) => ({ label: name, numeric: true })),
      ],
      rows: facts.metrics.map((metric) => [
        `${metric.name} (${metric.better} is better)`,
        estimate(metric.estimate, metric.unit),
        limitText(metric),
        metric.limit === undefined ? '' : metric.limit.met ? 'yes' : 'no',
        ...baselines.map((name) => {
          const baseline = metric.baselines?.find((other) => other.name === name);
          return baseline === undefined ? '' : quantity(baseline.value, metric.unit);
        }),
      ]),
    },
  };
}

/** Whether the limits were met, in one sentence. */
export function metricsHeadline({ metrics, rows, set }: TestMetrics): Headline {
  const missed = metrics.filter((metric) => metric.limit?.met === false);
  if (missed.length > 0) {
    const parts = missed.map(
      (metric) => `${metric.name} ${quantity(metric.estimate.value, metric.unit)} misses ${limitText(metric)}`,
    );
    return { status: 'failed', sentence: listed(parts) };
  }
  const [first, ...others] = metrics;
  const limited = metrics.filter((metric) => metric.limit !== undefined).length;
  const leading = [first, ...others.slice(0, 1)].map(
    (metric) => `${metric.name} ${quantity(metric.estimate.value, metric.unit)}`,
  );
  const verdict = limited === 0 ? '' : limited === 1 ? '; its limit is met' : `; all ${limited} limits are met`;
  return {
    status: limited > 0 ? 'passed' : 'notice',
    sentence: `${listed(leading)} on ${counted(rows, 'row')} of the ${set}${verdict}`,
  };
}

function limitText({ limit, unit }: TestMetric, before = ''): string {
  if (known(limit?.min)) return `${before}≥ ${written(limit.min, unit)}`;
  return known(limit?.max) ? `${before}≤ ${written(limit.max, unit)}` : '';
}
