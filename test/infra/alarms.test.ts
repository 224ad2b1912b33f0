import { describe, expect, test } from 'vitest';
import { metricNames } from '../../src/ports/telemetry.ts';
import { machineNames, stageNames } from '../../src/stages.ts';
import { deployAll, only, type Properties, sorted, text, useCases } from './deployed.ts';

const { deployed } = deployAll();

describe.each(deployed)('the alarms of $environment.name', ({ environment, of }) => {
  const alarms = Object.values(of('AWS::CloudWatch::Alarm'));
  const [notices] = Object.keys(of('AWS::SNS::Topic'));

  test('watch every machine, function and queue, and what each use case reports', () => {
    const prefix = `bordereau-${environment.name}-`;
    expect(sorted(alarms.map(({ AlarmName }) => AlarmName.slice(prefix.length)))).toEqual(
      sorted([
        ...machineNames.flatMap((machine) => [`${machine}-failed`, `${machine}-timed-out`]),
        ...stageNames.flatMap((stage) => [`${stage.toLowerCase()}-errors`, `${stage.toLowerCase()}-throttles`]),
        'UndeliveredEvents',
        'UndeliveredInvocations',
        ...useCases.flatMap(({ id }) => [`${id}-drift`, `${id}-model-refused`, `${id}-file-refused`]),
      ]),
    );
  });

  test('each tell the topic, and say what to do', () => {
    for (const { AlarmActions, AlarmDescription, TreatMissingData } of alarms) {
      expect(AlarmActions.map(text)).toEqual([`<${notices}>`]);
      expect(AlarmDescription).toMatch(/: .+\.$/);
      expect(TreatMissingData).toBe('notBreaching');
    }
  });

  test('read the stages’ own metrics under the name, the namespace and the dimensions that the functions publish', () => {
    const own = alarms.filter(({ Namespace }) => Namespace === `Bordereau/${environment.name}`);
    expect(own).toHaveLength(3 * useCases.length);
    const variables = Object.values(of('AWS::Lambda::Function')).map(({ Environment }) => Environment.Variables);
    for (const { MetricName, Namespace, Dimensions } of own) {
      expect(metricNames).toContain(MetricName);
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }: Properties) => [Name, Value]));
      expect(sorted(Object.keys(dimensions))).toEqual(['service', 'useCase']);
      for (const { POWERTOOLS_METRICS_NAMESPACE, POWERTOOLS_SERVICE_NAME } of variables) {
        expect([POWERTOOLS_METRICS_NAMESPACE, POWERTOOLS_SERVICE_NAME]).toEqual([Namespace, dimensions['service']]);
      }
    }
  });

  test('call drift severe from HIGH on', () => {
    const drift = only(of('AWS::CloudWatch::Alarm'), ({ AlarmName }) => AlarmName.endsWith('travel-drift'));
    // NONE, LOW, MEDIUM, HIGH, CRITICAL
    expect(drift).toMatchObject({ Threshold: 3, Statistic: 'Maximum' });
  });

  test('reach the topic: CloudWatch may publish to it and use its key, and somebody has subscribed', () => {
    const publishers = Object.values(of('AWS::SNS::TopicPolicy')).flatMap(
      ({ PolicyDocument }) => PolicyDocument.Statement,
    );
    expect(publishers).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
    const key = of('AWS::KMS::Key')[text(of('AWS::SNS::Topic')[notices]['KmsMasterKeyId']).slice(1, -1)];
    expect(key['KeyPolicy'].Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
    expect(Object.values(of('AWS::SNS::Subscription'))).toMatchObject([
      { Protocol: 'email', Endpoint: 'operations@example.com' },
    ]);
  });

  test('stand on a dashboard together with the runs, the stages and each use case', () => {
    const [{ DashboardName, DashboardBody }] = Object.values(of('AWS::CloudWatch::Dashboard'));
    expect(DashboardName).toBe(`bordereau-${environment.name}`);
    const body = text(DashboardBody);
    for (const alarm of Object.keys(of('AWS::CloudWatch::Alarm'))) expect(body).toContain(`<${alarm}>`);
    for (const label of [...machineNames, ...stageNames, ...metricNames]) expect(body).toContain(`"label":"${label}"`);
    for (const { id } of useCases) expect(body).toContain(`${id}: rows`);
  });
});
