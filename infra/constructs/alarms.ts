import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { MetricName } from '../../src/ports/telemetry.ts';
import { stages } from '../../src/stages.ts';
import type { Environment } from '../environments.ts';
import { kebab, metricNamespace, metricService, productName } from '../names.ts';
import type { Machine } from './machine.ts';
import type { Operations } from './operations.ts';
import type { StageFunction } from './stage-function.ts';

export type AlarmsProps = {
  readonly environment: Environment;
  readonly machines: readonly Machine[];
  readonly functions: readonly StageFunction[];
  readonly useCaseIds: readonly string[];
  readonly operations: Operations;
};

/** What somebody is told about. Each alarm says in its description what to look at first. */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  readonly #notify: SnsAction;
  readonly #prefix: string;

  constructor(scope: Construct, id: string, { environment, machines, functions, useCaseIds, operations }: AlarmsProps) {
    super(scope, id);
    this.#notify = new SnsAction(operations.notices);
    this.#prefix = productName(environment);

    for (const { machine, stateMachine } of machines) {
      const repair = 'open its execution, mend the cause, redrive it.';
      this.#alarm(`${machine}-failed`, 1, stateMachine.metricFailed(), `A run of ${machine} failed: ${repair}`);
      this.#alarm(
        `${machine}-timed-out`,
        1,
        stateMachine.metricTimedOut(),
        `A run of ${machine} took too long: ${repair}`,
      );
    }
    for (const { stage, function: lambda } of functions) {
      // one failure is mended by the machine's retry; several within a quarter of an hour are not
      const over = { period: Duration.minutes(15) };
      this.#alarm(
        `${kebab(stage)}-errors`,
        3,
        lambda.metricErrors(over),
        `${stage} fails again and again: read its log.`,
      );
      this.#alarm(
        `${kebab(stage)}-throttles`,
        3,
        lambda.metricThrottles(over),
        `${stage} finds no free place: raise the account's concurrency, or the share that it reserves.`,
      );
    }
    for (const queue of [operations.undeliveredEvents, operations.undeliveredInvocations]) {
      const waiting = queue.metricApproximateNumberOfMessagesVisible();
      this.#alarm(queue.node.id, 1, waiting, `Something waits in ${queue.node.id}: the message says for whom it was.`);
    }
    for (const useCase of useCaseIds) {
      const measured = (name: MetricName) => stageMetric(environment, name, useCase);
      this.#alarm(
        `${useCase}-drift`,
        high,
        measured('DriftSeverity'),
        `Severe drift in ${useCase}: read its monitor report.`,
      );
      this.#alarm(
        `${useCase}-model-refused`,
        1,
        measured('ModelsRefused'),
        `${useCase}: the govern report names the gate.`,
      );
      this.#alarm(
        `${useCase}-file-refused`,
        1,
        measured('FilesRefused'),
        `${useCase}: the ingest report names the reason.`,
      );
    }
  }

  /** Rings when the metric reaches the threshold within one of its periods. */
  #alarm(name: string, threshold: number, metric: Metric, alarmDescription: string): void {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.#prefix}-${name}`,
      alarmDescription,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#notify);
    this.all.push(alarm);
  }
}

/** `DriftSeverity` counts the severities up from NONE, which is 0. */
const high = stages.Monitor.output.shape.severity.options.indexOf('HIGH');

/** A metric that the stages publish themselves, for one use case. */
export function stageMetric(environment: Environment, metricName: MetricName, useCase: string): Metric {
  return new Metric({
    namespace: metricNamespace(environment),
    metricName,
    dimensionsMap: { service: metricService, useCase },
    statistic: metricName === 'DriftSeverity' ? Stats.MAXIMUM : Stats.SUM,
    period: Duration.hours(1),
  });
}
