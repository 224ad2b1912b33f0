/** Allow-listed facts about a step: names, counts, versions and keys. Never a value of an insured row. */
export type LogFields = { [field: string]: string | number | boolean | null | undefined };

/** Structured logging and metrics; CloudWatch behind it on AWS, a file on a laptop. */
export interface Telemetry {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** One value of a named metric, with the use case as its dimension. */
  measure(metric: MetricName, value: number, useCase: string): void;
}

/** The metrics that alarms and the dashboard read. */
export const metricNames = [
  'RowsAccepted',
  'RowsQuarantined',
  'FilesRefused',
  'ModelsPromoted',
  'ModelsRefused',
  'PredictionsPublished',
  'RecommendationsSent',
  'DriftSeverity',
] as const;
export type MetricName = (typeof metricNames)[number];
