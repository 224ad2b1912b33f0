import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  PeriodOverride,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metricNames } from '../../src/ports/telemetry.ts';
import { productName } from '../names.ts';
import { type Alarms, type AlarmsProps, stageMetric } from './alarms.ts';

export type DashboardProps = AlarmsProps & { readonly alarms: Alarms };

/** One page: is anything wrong, what has run and for how long, and what came out of it for each use case. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { environment, machines, functions, useCaseIds, operations, alarms } = props;
    const page = new CloudWatchDashboard(this, 'Page', {
      dashboardName: productName(environment),
      defaultInterval: Duration.days(14),
      periodOverride: PeriodOverride.INHERIT,
    });
    const hourly = (label: string) => ({ label, period: Duration.hours(1) });

    const started = machines.map(({ machine, stateMachine }) => stateMachine.metricStarted(hourly(machine)));
    const failed = machines.map(({ machine, stateMachine }) => stateMachine.metricFailed(hourly(machine)));
    const queues = [operations.undeliveredEvents, operations.undeliveredInvocations];
    const waiting = queues.map((queue) => queue.metricApproximateNumberOfMessagesVisible(hourly(queue.node.id)));
    page.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all, width: 24, height: 6 }));
    page.addWidgets(
      graph('Runs started', 8, started),
      graph('Runs failed', 8, failed),
      graph('Undelivered', 8, waiting),
    );

    const slowest = functions.map(({ stage, function: lambda }) =>
      lambda.metricDuration({ ...hourly(stage), statistic: Stats.MAXIMUM }),
    );
    const errors = functions.map(({ stage, function: lambda }) => lambda.metricErrors(hourly(stage)));
    page.addWidgets(graph('Slowest run of a stage (ms)', 12, slowest), graph('Errors of a stage', 12, errors));

    for (const useCase of useCaseIds) {
      const measured = (names: readonly (typeof metricNames)[number][]) =>
        names.map((name) => stageMetric(environment, name, useCase).with({ label: name }));
      page.addWidgets(
        graph(`${useCase}: rows`, 12, measured(metricNames.filter((name) => rows.has(name)))),
        graph(`${useCase}: files, models, drift`, 12, measured(metricNames.filter((name) => !rows.has(name)))),
      );
    }
  }
}

/** Thousands, where the other metrics count single things. */
const rows: ReadonlySet<string> = new Set(['RowsAccepted', 'RowsQuarantined', 'PredictionsPublished']);

const graph = (title: string, width: number, left: IMetric[]) =>
  new GraphWidget({ title, width, height: 6, left, leftYAxis: { min: 0 } });
