import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { machineNames, type StageName, stageNames, stages } from '../../src/stages.ts';
import { deployAll, type Deployed, only, type Properties, sorted, text } from './deployed.ts';

const { deployed } = deployAll();

const setByLambda = 'LAMBDA_TASK_ROOT';

const definitions = machineNames.map((machine) =>
  readFileSync(new URL(`../../statemachines/${machine}.asl.json`, import.meta.url), 'utf8'),
);

describe.each(deployed)('the functions of $environment.name', ({ environment, of }) => {
  const functions = of('AWS::Lambda::Function');
  const functionOf = (stage: StageName) =>
    only(functions, ({ FunctionName }) => FunctionName === `bordereau-${environment.name}-${stage.toLowerCase()}`);

  test('are one for each Task state that calls a function, and no other', () => {
    const called = new Set(
      definitions.flatMap((text) =>
        Array.from(text.matchAll(/"FunctionName":\s*"\$\{(\w+)Arn\}"/g), ([, name]) => name),
      ),
    );
    const deployedNames = Object.values(functions).map(({ FunctionName }) => FunctionName.split('-').at(-1));
    expect(sorted(deployedNames)).toEqual(sorted(called));
  });

  test.each(stageNames)('%s runs on Node 24 and arm64 with the memory and time that its stage declares', (stage) => {
    expect(functionOf(stage)).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: stages[stage].memoryMb,
      Timeout: stages[stage].timeoutSeconds,
      TracingConfig: { Mode: 'Active' },
    });
  });

  test('get every environment variable that the shell of the handlers requires', () => {
    const shell = readFileSync(new URL('../../lambdas/shared/ports.ts', import.meta.url), 'utf8');
    const required = Array.from(shell.matchAll(/(?:required|bucket)\('([A-Z_]+)'\)/g), ([, name]) => name);
    expect(required.length).toBeGreaterThan(5);
    for (const { Environment } of Object.values(functions)) {
      expect(Object.keys(Environment.Variables)).toEqual(
        expect.arrayContaining(required.filter((name) => name !== setByLambda)),
      );
    }
  });

  test('write to a log group of their own, encrypted and with an end', () => {
    const groups = Object.values(functions).map(({ LoggingConfig, FunctionName }) => {
      expect(LoggingConfig.LogFormat).toBe('JSON');
      const group = of('AWS::Logs::LogGroup')[text(LoggingConfig.LogGroup).slice(1, -1)];
      expect(group['LogGroupName']).toBe(`/aws/lambda/${FunctionName}`);
      expect(group['RetentionInDays']).toBe(environment.logRetention);
      return text(group['KmsKeyId']);
    });
    expect(new Set(groups).size).toBe(1);
  });

  test('send what failed for good to a queue', () => {
    const queues = of('AWS::SQS::Queue');
    for (const { DeadLetterConfig } of Object.values(functions)) {
      expect(Object.keys(queues)).toContain(text(DeadLetterConfig.TargetArn).slice(1, -1));
    }
  });

  test('have the DuckDB layer where their code uses it', () => {
    const [layer] = Object.keys(of('AWS::Lambda::LayerVersion'));
    const layersOf = (stage: StageName) => (functionOf(stage)['Layers'] ?? []).map(text);
    expect(layersOf('Validate')).toEqual([`<${layer}>`]);
    expect(layersOf('Report')).toEqual([]);
  });
});

const byEnvironment = <Value>(read: (deployment: Deployed) => Value) =>
  Object.fromEntries(deployed.map((deployment) => [deployment.environment.name, read(deployment)]));

test('a function may run as often at once as its Map asks for, ten times elsewhere; dev reserves nothing', () => {
  const shares = Object.fromEntries(stageNames.map((stage) => [stage.toLowerCase(), 10]));
  const reserved = byEnvironment(({ of }) =>
    Object.fromEntries(
      Object.values(of('AWS::Lambda::Function')).map(({ FunctionName, ReservedConcurrentExecutions }) => [
        FunctionName.split('-').at(-1),
        ReservedConcurrentExecutions,
      ]),
    ),
  );
  expect(reserved).toEqual({
    dev: {},
    staging: { ...shares, features: 40, tune: 40, score: 40 },
    prod: { ...shares, features: 40, tune: 40, score: 40 },
  });
});

test('functions that see insured data have no way out but S3 and the vaults’ key; Promote and Report, which see none, are the exception', () => {
  const outside = byEnvironment(({ of }) =>
    Object.values(of('AWS::Lambda::Function'))
      .filter(({ VpcConfig }) => !VpcConfig)
      .map(({ FunctionName }) => FunctionName.split('-').at(-1)),
  );
  expect(outside).toEqual({
    dev: expect.arrayContaining(['validate', 'score']),
    staging: ['promote', 'report'],
    prod: ['promote', 'report'],
  });
  for (const { of } of deployed) {
    for (const way of ['InternetGateway', 'NatGateway', 'Route']) expect(of(`AWS::EC2::${way}`)).toEqual({});
  }
});

test.each(deployed.filter(({ environment }) => environment.isolated))(
  'S3 is reached for the zones only, and KMS for the vaults’ key only, in $environment.name',
  ({ of }) => {
    const endpoints = Object.values(of('AWS::EC2::VPCEndpoint'));
    const to = (service: string) =>
      only(of('AWS::EC2::VPCEndpoint'), ({ ServiceName }) => text(ServiceName).endsWith(`.${service}`));
    expect(endpoints).toHaveLength(2);
    const [vaults] = to('kms')['PolicyDocument'].Statement as Properties[];
    expect(vaults).toMatchObject({ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'] });
    expect(text(vaults['Resource'])).toMatch(/^<ZonesVaultKey/);
    const { PolicyDocument } = to('s3');
    const reachable: string[] = PolicyDocument.Statement.flatMap(({ Resource }: Properties) => Resource.map(text));
    const zoned = Object.keys(of('AWS::S3::Bucket')).filter((logicalId) => !logicalId.startsWith('ZonesAccessLogs'));
    expect(sorted(reachable)).toEqual(sorted(zoned.flatMap((bucket) => [`<${bucket}>`, `<${bucket}>/*`])));
  },
);
