import { ArnFormat, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { Alarm, ComparisonOperator, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Place } from '../../src/stages.ts';
import type { Environment } from '../environments.ts';
import { metricNamespace, metricService, productName } from '../names.ts';
import type { OnlineArtifact } from '../online-artifacts.ts';
import type { Network } from './network.ts';
import type { Operations } from './operations.ts';
import { logging, networkInterfaces, placeStatements, tracing } from './permissions.ts';
import type { Zones } from './zones.ts';

/** What the function reads and writes. */
export const onlineReads: readonly Place[] = ['registry/versions', 'registry/promotions'];
export const onlineWrites: readonly Place[] = ['bronze/decisions'];

export type OnlineProps = {
  readonly artifact: OnlineArtifact;
  readonly environment: Environment;
  readonly zones: Zones;
  readonly operations: Operations;
  /** @default - the function may reach the internet */
  readonly network?: Network | undefined;
};

/**
 * Decisions about single cases of one use case: an HTTP API that only signed requests of this account's roles get into, before a
 * function that may read versions and remember decisions. What a request must look like, the function says field by field.
 */
export class Online extends Construct {
  readonly function: LambdaFunction;
  readonly api: HttpApi;

  constructor(scope: Construct, id: string, props: OnlineProps) {
    super(scope, id);
    const { artifact, environment } = props;
    this.function = this.#function(props);
    this.api = this.#api(props);
    this.#alarms(props);
    new CfnOutput(this, 'Url', {
      value: this.api.apiEndpoint,
      description: `Decisions of ${artifact.useCase}, ${environment.name}`,
    });
  }

  #function({ artifact, environment, zones, operations, network }: OnlineProps): LambdaFunction {
    const functionName = nameOf(environment, artifact);
    const logGroup = operations.logGroup(this, `/aws/lambda/${functionName}`);
    const functionArn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      description: `What deciding ${artifact.useCase} takes`,
      statements: [
        ...placeStatements(zones, onlineReads, onlineWrites),
        logging(logGroup.logGroupArn),
        tracing(),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [operations.undeliveredInvocations.queueArn] }),
        ...(network ? networkInterfaces(functionArn) : []),
      ],
    });
    const role = new Role(this, 'Role', {
      description: `Deciding ${artifact.useCase}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      managedPolicies: [policy],
    });
    return new LambdaFunction(this, 'Function', {
      functionName,
      description: `Decides single cases of ${artifact.useCase}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(artifact.directory),
      // one whole processor
      memorySize: 1769,
      timeout: Duration.seconds(10),
      ...(environment.reservesConcurrency && { reservedConcurrentExecutions: decisionsAtOnce }),
      environment: {
        USE_CASE: artifact.useCase,
        REGISTRY_BUCKET: zones.of.registry.bucket.bucketName,
        BRONZE_BUCKET: zones.of.bronze.bucket.bucketName,
        POWERTOOLS_SERVICE_NAME: metricService,
        POWERTOOLS_METRICS_NAMESPACE: metricNamespace(environment),
      },
      // the role is complete: nothing that the construct would add of itself gets in
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      deadLetterQueue: operations.undeliveredInvocations,
      ...(network && {
        vpc: network.vpc,
        vpcSubnets: { subnets: network.vpc.isolatedSubnets },
        securityGroups: [network.securityGroup],
      }),
    });
  }

  #api({ artifact, environment, operations }: OnlineProps): HttpApi {
    const api = new HttpApi(this, 'Api', {
      apiName: nameOf(environment, artifact),
      description: `Decisions of ${artifact.useCase}`,
      createDefaultStage: false,
    });
    const routed = {
      integration: new HttpLambdaIntegration('Decide', this.function),
      authorizer: new HttpIamAuthorizer(),
    };
    api.addRoutes({ path: '/decide', methods: [HttpMethod.POST], ...routed });
    api.addRoutes({ path: '/ready', methods: [HttpMethod.GET], ...routed });
    const access = new Construct(this, 'Access');
    new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 500, burstLimit: decisionsAtOnce },
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          operations.logGroup(access, `/aws/apigateway/${nameOf(environment, artifact)}`),
        ),
        // who, when, what came of it; neither path nor body can hold a key of a case here
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            at: '$context.requestTimeEpoch',
            caller: '$context.identity.caller',
            route: '$context.routeKey',
            status: '$context.status',
            latencyMs: '$context.responseLatency',
          }),
        ),
      },
    });
    return api;
  }

  #alarms({ artifact: { useCase }, environment, operations }: OnlineProps): void {
    const notify = new SnsAction(operations.notices);
    const own = (metricName: string) =>
      new Metric({
        namespace: metricNamespace(environment),
        metricName,
        dimensionsMap: { service: metricService, useCase },
        statistic: Stats.SUM,
        period: Duration.minutes(1),
      });
    const minute = { period: Duration.minutes(1) };
    const alarm = (
      name: string,
      metric: Metric | MathExpression,
      threshold: number,
      minutes: number,
      alarmDescription: string,
    ) =>
      new Alarm(this, name, {
        alarmName: `${nameOf(environment, { useCase })}-${name}`,
        alarmDescription,
        metric,
        threshold,
        evaluationPeriods: minutes,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(notify);

    const share = new MathExpression({
      expression: '100 * errors / decisions',
      label: 'errors in a hundred decisions',
      usingMetrics: { errors: own('OnlineErrors'), decisions: own('OnlineDecisions') },
      ...minute,
    });
    alarm(
      'decision-errors',
      share,
      5,
      2,
      `More than 5 % of ${useCase} go to a person by an error: read the codes in its log.`,
    );
    alarm(
      'down',
      this.function.metricErrors(minute),
      0,
      1,
      `Requests about ${useCase} are not answered: read its log.`,
    );
    alarm(
      'throttles',
      this.function.metricThrottles(minute),
      0,
      2,
      `More requests about ${useCase} than places: raise its concurrency.`,
    );
    alarm(
      'slow',
      this.function.metricDuration({ ...minute, statistic: Stats.percentile(99) }),
      1000,
      5,
      `One in a hundred requests about ${useCase} takes longer than a second: look at its traces.`,
    );
    alarm(
      'guard-broken',
      own('ExperimentGuardsBroken'),
      0,
      1,
      `A challenger of ${useCase} broke a guard: stop the experiment, the promotion log names it.`,
    );
  }
}

/** As many as the account's other functions together leave free; a claim takes milliseconds. */
const decisionsAtOnce = 50;

const nameOf = (environment: Environment, { useCase }: Pick<OnlineArtifact, 'useCase'>): string =>
  `${productName(environment)}-decide-${useCase}`;
