import type { Metric } from '../ml/metrics/metric.ts';
import type { MetricName } from '../usecase/metrics.ts';
import { calculateDrift, type DriftTable } from './drift.ts';
import type { MonitorPolicy } from './limits.ts';
import { calculatePerformance, type MaturedRows, type Performance, performanceFindings } from './performance.ts';
import { measurePopulation, type PopulationChange, populationFindings } from './population.ts';
import { type Delivery, qualityFindings } from './quality.ts';
import type { MonitoredRows, ReferenceProfile } from './reference.ts';
import { reachVerdict, type Verdict } from './verdict.ts';

/** Everything that one look found; plain JSON, where a number that could not be computed is null. */
export type MonitoringResult = {
  format: 1;
  dataVersion: { reference: number };
  drift: DriftTable;
  population: PopulationChange;
  performance: Performance;
  verdict: Verdict;
};

export type MonitoringInput = {
  /** Published with the model version that made the predictions. */
  reference: ReferenceProfile;
  /** The predictions of the window and their features. */
  rows: MonitoredRows;
  /** Those of them whose truth has matured. */
  matured: MaturedRows;
  delivery: Delivery;
  /** Unit by column, for sentences; `prediction` is one of them. */
  units: Readonly<Record<string, string>>;
  /** The metrics that the declared limits name. */
  metrics: { readonly [name in MetricName]?: Metric };
  seed: number;
};

/** One look at a model in use: drift, population and performance against its reference, and the one verdict on them. */
export function monitor(input: MonitoringInput, policy: MonitorPolicy, onDrift: boolean): MonitoringResult {
  const { reference, rows, matured, delivery, units, metrics, seed } = input;
  const drift = calculateDrift(reference, rows, policy);
  const population = measurePopulation(reference, rows, drift, policy);
  const performance = calculatePerformance(reference, matured, policy, { metrics, seed });
  const findings = [
    ...qualityFindings(reference, rows, drift, delivery, policy),
    ...performanceFindings(performance),
    ...populationFindings(drift, population, policy, units),
  ];
  return {
    format: 1,
    dataVersion: { reference: reference.dataVersion },
    drift,
    population,
    performance,
    verdict: reachVerdict({ drift, performance, findings }, policy, onDrift),
  };
}
