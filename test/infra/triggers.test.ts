import { describe, expect, test } from 'vitest';
import { awsCron } from '../../infra/constructs/aws-cron.ts';
import { rules, schedulesOf } from '../../src/triggers.ts';
import { deployAll, only, type Properties, sorted, text, useCases } from './deployed.ts';

const { deployed } = deployAll();

describe.each(deployed)('the triggers of $environment.name', ({ environment, of }) => {
  const bronze = Object.keys(of('AWS::S3::Bucket')).find((logicalId) => logicalId.startsWith('ZonesBronze'));
  const machineNamed = (arn: unknown) =>
    of('AWS::StepFunctions::StateMachine')[text(arn).slice(1, -1)]['StateMachineName'];
  const queueNamed = (arn: unknown) => of('AWS::SQS::Queue')[text(arn).slice(1, -1)];
  const patient = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };
  const asWritten = (policy: Properties) =>
    Object.fromEntries(Object.entries(policy).map(([key, value]) => [`${key[0].toLowerCase()}${key.slice(1)}`, value]));

  test('are the declared rules, and no other', () => {
    const names = Object.values(of('AWS::Events::Rule')).map(({ Name }) => Name);
    expect(sorted(names)).toEqual(sorted(rules.map(({ name }) => `bordereau-${environment.name}-${name}`)));
  });

  test.each(rules)('$name starts $starts with the detail of what it matches', (rule) => {
    const deployedRule = only(of('AWS::Events::Rule'), ({ Name }) => Name.endsWith(`-${rule.name}`));
    expect(deployedRule['State']).toBe('ENABLED');
    const bus = deployedRule['EventBusName'] ? 'product' : 'default';
    expect(bus).toBe(rule.bus);
    const pattern = JSON.stringify(deployedRule['EventPattern']).replace(`{"Ref":"${bronze}"}`, '"${bronzeBucket}"');
    expect(JSON.parse(pattern)).toEqual(rule.pattern);

    const [target, ...others] = deployedRule['Targets'];
    expect(others).toEqual([]);
    expect(machineNamed(target.Arn)).toBe(`bordereau-${environment.name}-${rule.starts}`);
    expect(target.InputPath).toBe('$.detail');
    expect(asWritten(target.RetryPolicy)).toEqual(patient);
    expect(queueNamed(target.DeadLetterConfig.Arn)).toMatchObject({ MessageRetentionPeriod: 1_209_600 });
  });

  const declared = useCases.flatMap(schedulesOf);

  test('are the declared schedules, and no other', () => {
    const names = Object.values(of('AWS::Scheduler::Schedule')).map(({ Name }) => Name);
    expect(sorted(names)).toEqual(sorted(declared.map(({ name }) => name)));
  });

  test.each(declared)('$name starts $starts at its local time, with the logical time as input', (schedule) => {
    const { Target, ...when } = only(of('AWS::Scheduler::Schedule'), ({ Name }) => Name === schedule.name);
    expect(when).toMatchObject({
      ScheduleExpression: awsCron(schedule.cron, schedule.name),
      ScheduleExpressionTimezone: schedule.timeZone,
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    expect(machineNamed(Target.Arn)).toBe(`bordereau-${environment.name}-${schedule.starts}`);
    expect(JSON.parse(Target.Input)).toEqual({ ...schedule.input, scheduledTime: '<aws.scheduler.scheduled-time>' });
    expect(asWritten(Target.RetryPolicy)).toEqual(patient);
    expect(queueNamed(Target.DeadLetterConfig.Arn)).toMatchObject({ MessageRetentionPeriod: 1_209_600 });
  });

  test('may each put what they cannot deliver into the queue', () => {
    const ruleIds = Object.keys(of('AWS::Events::Rule')).map((logicalId) => `<${logicalId}>`);
    const allowed = Object.values(of('AWS::SQS::QueuePolicy')).flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.filter(({ Principal }: Properties) => Principal.Service === 'events.amazonaws.com'),
    );
    expect(sorted(allowed.flatMap(({ Condition }) => Condition.ArnEquals['aws:SourceArn'].map(text)))).toEqual(
      sorted(ruleIds),
    );
  });
});

// the right-hand sides follow the table of "Cron-based schedules" in the EventBridge Scheduler user guide
test.each([
  ['0 19 * * *', 'cron(0 19 * * ? *)'],
  ['0 0 1 * *', 'cron(0 0 1 * ? *)'],
  ['*/15 8-18 * * *', 'cron(*/15 8-18 * * ? *)'],
  ['15 6 * * 1-5', 'cron(15 6 ? * 2,3,4,5,6 *)'],
  ['0 5 * * 0', 'cron(0 5 ? * 1 *)'],
  ['0 5 * * 7', 'cron(0 5 ? * 1 *)'],
  ['0 5 * * 5-7', 'cron(0 5 ? * 6,7,1 *)'],
  ['0 5 * * MON,WED', 'cron(0 5 ? * MON,WED *)'],
  ['0 5 1 1,4,7,10 *', 'cron(0 5 1 1,4,7,10 ? *)'],
])('the cron expression %s is %s to EventBridge Scheduler', (expression, expected) => {
  expect(awsCron(expression, 'x')).toBe(expected);
});

test.each([
  ['0 5 * *', /five fields, it has 4/],
  ['0 5 1 * 1', /a day of the month or a day of the week, not both/],
  ['0 5 * * 1-9', /0 to 7/],
])('the cron expression %s is refused with its schedule and its reason', (expression, reason) => {
  expect(() => awsCron(expression, 'motor-retrain')).toThrow(reason);
  expect(() => awsCron(expression, 'motor-retrain')).toThrow(/motor-retrain/);
});
