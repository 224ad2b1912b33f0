import { metricsHeadline, testMetrics } from '../charts/test-metrics.ts';
import type { RunFacts } from '../facts.ts';
import { renderFigure } from '../figure.ts';
import type { Section } from '../section.ts';

/** Metrics of the chosen model with their intervals. */
export function testResults({ metrics }: RunFacts): Section | undefined {
  if (!metrics || metrics.metrics.length === 0) return undefined;
  return {
    id: 'metrics',
    name: 'Test results',
    headline: metricsHeadline(metrics),
    body: renderFigure(testMetrics(metrics), 'test-metrics'),
  };
}
