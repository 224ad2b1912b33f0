import { Stack } from 'aws-cdk-lib';
import { CfnRule, type IEventBus } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Json } from '../../src/data/json.ts';
import type { MachineName } from '../../src/stages.ts';
import { type Rule, rules, type Schedule, type Scheduled, schedulesOf } from '../../src/triggers.ts';
import type { Environment } from '../environments.ts';
import { productName } from '../names.ts';
import { awsCron } from './aws-cron.ts';
import type { Machine } from './machine.ts';
import type { Zones } from './zones.ts';

export type TriggersProps = {
  readonly environment: Environment;
  readonly machines: Readonly<Record<MachineName, Machine>>;
  readonly useCases: readonly Scheduled[];
  readonly bus: IEventBus;
  readonly zones: Zones;
  /** Where an event or a firing ends that could not be delivered. */
  readonly undelivered: Queue;
};

/** The rules and schedules of `src/triggers.ts`. Whatever cannot be delivered within a day waits in a queue, with an alarm. */
export class Triggers extends Construct {
  readonly #props: TriggersProps;
  readonly #delivery: { retryPolicy: CfnRule.RetryPolicyProperty; deadLetterConfig: CfnRule.DeadLetterConfigProperty };

  constructor(scope: Construct, id: string, props: TriggersProps) {
    super(scope, id);
    this.#props = props;
    this.#delivery = {
      // EventBridge's own limits, said aloud: a day, and as many attempts as fit into it
      retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
      deadLetterConfig: { arn: props.undelivered.queueArn },
    };
    this.#rules();
    this.#schedules(props.useCases.flatMap(schedulesOf));
  }

  #rules(): void {
    const { environment, bus, undelivered } = this.#props;
    const role = this.#role('events.amazonaws.com', 'Rules', rules, []);
    const made = rules.map(
      (rule) =>
        new CfnRule(this, rule.name, {
          name: `${productName(environment)}-${rule.name}`,
          description: `${rule.name} starts ${rule.starts}`,
          ...(rule.bus === 'product' && { eventBusName: bus.eventBusName }),
          eventPattern: this.#filled(rule.pattern),
          state: 'ENABLED',
          targets: [
            {
              id: rule.starts,
              arn: this.#arnOf(rule.starts),
              roleArn: role.roleArn,
              inputPath: '$.detail',
              ...this.#delivery,
            },
          ],
        }),
    );
    undelivered.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [undelivered.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': made.map((rule) => rule.attrArn) } },
      }),
    );
  }

  #schedules(schedules: readonly Schedule[]): void {
    const { environment, undelivered } = this.#props;
    const group = new CfnScheduleGroup(this, 'ScheduleGroup', { name: productName(environment) });
    const toQueue = new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [undelivered.queueArn] });
    const role = this.#role('scheduler.amazonaws.com', 'Schedules', schedules, [toQueue]);
    for (const schedule of schedules) {
      new CfnSchedule(this, schedule.name, {
        name: schedule.name,
        description: `${schedule.name} starts ${schedule.starts}`,
        groupName: group.ref,
        scheduleExpression: awsCron(schedule.cron, schedule.name),
        scheduleExpressionTimezone: schedule.timeZone,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: this.#arnOf(schedule.starts),
          roleArn: role.roleArn,
          // the scheduler puts the logical time here, also when it fires late or again
          input: JSON.stringify({ ...schedule.input, scheduledTime: '<aws.scheduler.scheduled-time>' }),
          ...this.#delivery,
        },
      });
    }
  }

  /** May start the machines that these triggers start. */
  #role(service: string, id: string, starts: readonly { starts: MachineName }[], also: PolicyStatement[]): Role {
    const machines = [...new Set(starts.map((trigger) => trigger.starts))].map((machine) => this.#arnOf(machine));
    const policy = new ManagedPolicy(this, `${id}Policy`, {
      description: `${id} start machines`,
      statements: [new PolicyStatement({ actions: ['states:StartExecution'], resources: machines }), ...also],
    });
    return new Role(this, `${id}Role`, {
      description: `${id} start machines`,
      assumedBy: new ServicePrincipal(service, {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      managedPolicies: [policy],
    });
  }

  #arnOf(machine: MachineName): string {
    return this.#props.machines[machine].stateMachine.stateMachineArn;
  }

  /** The pattern with the bucket's real name in it. */
  #filled(pattern: Rule['pattern']): Json {
    const { bucketName } = this.#props.zones.of.bronze.bucket;
    const fill = (value: Json): Json => {
      if (value === '${bronzeBucket}') return bucketName;
      if (Array.isArray(value)) return value.map(fill);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
    };
    return fill(pattern);
  }
}
