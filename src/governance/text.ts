import { metricDescriptors, type MetricName } from '../usecase/metrics.ts';
import type { Estimate } from '../ml/metrics/metric.ts';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const significant = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** A number as sentences show it: whole ones in full, others with four significant digits; `n/a` where it is not finite. */
export function say(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  return Number.isInteger(value) ? whole.format(value) : significant.format(value);
}

/** `0.8312 (0.8101 to 0.8502)`; the value alone where there is no interval. */
export function sayEstimate({ value, low, high }: Estimate): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `${say(value)} (${say(low)} to ${say(high)})` : say(value);
}

/** `12.3 %`, one decimal. */
export function sayShare(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : 'n/a';
}

/** The number for a stored document, where not-a-number is null. */
export function stored(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A metric as sentences name it: `mean absolute error`. */
export function sayMetric(metric: string): string {
  if (metric === 'imbalance') return 'the distance of actual / expected from 1';
  return metricDescriptors[metric as MetricName]?.title ?? metric;
}

/** The same at the beginning of a sentence. */
export function startWithMetric(metric: string): string {
  const name = sayMetric(metric);
  return name[0].toUpperCase() + name.slice(1);
}
