import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Telemetry } from '../../src/ports/telemetry.ts';

export const logger = new Logger();
export const metrics = new Metrics();
export const tracer = new Tracer();

/** The telemetry port over Powertools: JSON lines in CloudWatch Logs, metrics in the embedded metric format. */
export const telemetry: Telemetry = {
  info: (message, fields) => logger.info(message, { ...fields }),
  warn: (message, fields) => logger.warn(message, { ...fields }),
  measure: (metric, value, useCase) => {
    // a metric of its own, so that the use case is its only dimension
    const single = metrics.singleMetric();
    single.addDimension('useCase', useCase);
    single.addMetric(metric, MetricUnit.Count, value);
  },
};
