import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { bundleOnline } from '../../infra/online-artifacts.ts';
import type { Catalogue, UseCase } from '../../src/usecase/catalogue.ts';
import { deployAll, listed, only, type Properties, sorted, text } from './deployed.ts';

const useCase = 'claim-decision';
const { deployed } = deployAll([useCase]);

describe.each(deployed)('decisions of single cases in $environment.name', ({ environment, of }) => {
  const name = `bordereau-${environment.name}-decide-${useCase}`;
  const lambda = only(of('AWS::Lambda::Function'), ({ FunctionName }) => FunctionName === name);

  test('come from a function of their own, which has its share of the concurrency and its log', () => {
    expect(lambda).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 10,
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { USE_CASE: useCase } },
    });
    expect(lambda['ReservedConcurrentExecutions']).toBe(environment.reservesConcurrency ? 50 : undefined);
    expect(lambda['VpcConfig'] !== undefined).toBe(environment.isolated);
    const group = of('AWS::Logs::LogGroup')[text(lambda['LoggingConfig'].LogGroup).slice(1, -1)];
    expect(group).toMatchObject({ LogGroupName: `/aws/lambda/${name}`, RetentionInDays: environment.logRetention });
  });

  test('get every environment variable that its handler requires', () => {
    const shell = ['decide', 'ports'].map((file) => readFileSync(new URL(`../../lambdas/online/${file}.ts`, import.meta.url), 'utf8')).join('\n'); // prettier-ignore
    const required = Array.from(shell.matchAll(/(?:required|bucket)\('([A-Z_]+)'\)/g), ([, variable]) => variable);
    expect(required.length).toBeGreaterThan(2);
    expect(Object.keys(lambda['Environment'].Variables)).toEqual(
      expect.arrayContaining(required.filter((variable) => variable !== 'LAMBDA_TASK_ROOT')),
    );
  });

  test('the function reads versions and the promotion log, remembers decisions, and may do nothing else', () => {
    const policy = only(
      of('AWS::IAM::ManagedPolicy'),
      ({ Description }) => Description === `What deciding ${useCase} takes`,
    );
    const allowed = (policy['PolicyDocument'].Statement as Properties[])
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Action, Resource }) => ({ actions: listed<string>(Action), resources: listed(Resource).map(text) }));
    const grants = (service: string) =>
      sorted(
        allowed.flatMap(({ actions, resources }) =>
          actions
            .filter((action) => action.startsWith(service))
            .flatMap((action) => resources.map((resource) => `${action} ${resource.replace(/[0-9A-F]{8}>/, '>')}`)),
        ),
      );
    expect(grants('s3:')).toEqual([
      's3:GetObject <ZonesRegistry>/promotions/*',
      's3:GetObject <ZonesRegistry>/versions/*',
      's3:ListBucket <ZonesRegistry>',
      's3:PutObject <ZonesBronze>/decisions/*',
    ]);
    const onAnything = allowed
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions }) => actions)
      .filter((action) => !action.startsWith('xray:'));
    expect(onAnything.every((action) => environment.isolated && /^ec2:\w+(NetworkInterfaces?|Subnets|PrivateIpAddresses)$/.test(action))).toBe(true); // prettier-ignore
    const services = new Set(allowed.flatMap(({ actions }) => actions.map((action) => action.split(':')[0])));
    expect(sorted(services)).toEqual(
      sorted(['s3', 'kms', 'logs', 'xray', 'sqs', ...(environment.isolated ? ['ec2'] : [])]),
    );
  });

  test('every route takes signed requests only, and there are two', () => {
    const routes = Object.values(of('AWS::ApiGatewayV2::Route'));
    expect(sorted(routes.map(({ RouteKey }) => RouteKey))).toEqual(['GET /ready', 'POST /decide']);
    for (const { AuthorizationType } of routes) expect(AuthorizationType).toBe('AWS_IAM');
    const [api] = Object.values(of('AWS::ApiGatewayV2::Api'));
    expect(api).toMatchObject({ Name: name, ProtocolType: 'HTTP' });
    expect(api['CorsConfiguration']).toBeUndefined();
  });

  test('the stage is throttled, and its access log holds neither path nor body', () => {
    const [stage] = Object.values(of('AWS::ApiGatewayV2::Stage'));
    expect(stage['DefaultRouteSettings']).toMatchObject({ ThrottlingRateLimit: 500, ThrottlingBurstLimit: 50 });
    expect(stage['AccessLogSettings'].Format).not.toMatch(/path|body|query|header/i);
  });

  test('alarms tell of errors, refusals, slowness and a broken guard', () => {
    const alarms = Object.values(of('AWS::CloudWatch::Alarm')).filter(({ AlarmName }) => AlarmName.startsWith(name));
    expect(sorted(alarms.map(({ AlarmName }) => AlarmName.slice(name.length + 1)))).toEqual(['decision-errors', 'down', 'guard-broken', 'slow', 'throttles']); // prettier-ignore
    for (const { AlarmActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toHaveLength(1);
      expect(AlarmDescription).toMatch(/: .+\.$/);
    }
  });
});

describe('the bundle', () => {
  const outside = mkdtempSync(join(tmpdir(), 'bordereau-online-'));
  afterAll(() => rmSync(outside, { recursive: true }));
  const folder = fileURLToPath(new URL('../../usecases', import.meta.url));
  const decision = {
    negative: 'reject',
    review: 'review',
    positive: 'approve',
    costs: { falsePositive: 1, falseNegative: 1 },
  };
  const catalogue = {
    useCases: [
      { declaration: { id: useCase, score: { decision } } },
      { declaration: { id: 'insurance-cost', score: {} } },
    ] as unknown as UseCase[],
  } satisfies Catalogue;

  test('is made of use cases with an online.ts and a decision, loads on its own and needs no DuckDB', async () => {
    const artifacts = await bundleOnline(catalogue, folder, outside);
    expect(artifacts.map((artifact) => artifact.useCase)).toEqual([useCase]);
    const [{ directory }] = artifacts;
    expect(readdirSync(directory).sort()).toEqual(['catalogue.json', 'index.mjs', 'online.mjs']);
    expect(readFileSync(join(directory, 'index.mjs'), 'utf8')).not.toContain('@duckdb/node-api');
    const loaded = execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', `console.log(typeof (await import('${directory}/index.mjs')).handler, (await import('${directory}/online.mjs')).online.featureNames.length)`], // prettier-ignore
      { cwd: outside, encoding: 'utf8', env: { AWS_REGION: 'eu-west-2', POWERTOOLS_DEV: 'true' } },
    );
    expect(loaded.trim()).toBe('function 7');
  });
});
