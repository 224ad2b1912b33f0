import { Duration, Size } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  type LayerVersion,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type StageName, stages, zones as zoneNames } from '../../src/stages.ts';
import type { Artifacts } from '../artifacts.ts';
import { itemsAtOnce } from '../definitions.ts';
import type { Environment } from '../environments.ts';
import {
  allExecutions,
  allModelPackages,
  functionArn,
  functionName,
  metricNamespace,
  metricService,
  modelGroupPrefix,
  modelGroups,
  textModelArns,
  vaultOpenerRoleName,
} from '../names.ts';
import type { Network } from './network.ts';
import type { Operations } from './operations.ts';
import { askingModels, logging, networkInterfaces, placeStatements, tracing, vaultKeys } from './permissions.ts';
import type { Zones } from './zones.ts';

export type StageFunctionProps = {
  readonly stage: StageName;
  readonly environment: Environment;
  readonly handler: Artifacts['handlers'][StageName];
  readonly duckdb: LayerVersion;
  /** The commit that the code was built from, for lineage. */
  readonly codeVersion: string;
  readonly zones: Zones;
  readonly operations: Operations;
  /** Of all use cases; each has a group in the SageMaker Model Registry. */
  readonly useCaseIds: readonly string[];
  /** The models that write texts of recommendations, in their use cases' words: Bedrock's models and inference profiles. */
  readonly textModels: readonly string[];
  /** @default - the function may reach the internet */
  readonly network?: Network | undefined;
};

/** The function of one stage: `lambdas/<stage>.ts` under a role that may do what `src/stages.ts` says of it, and no more. */
export class StageFunction extends Construct {
  readonly stage: StageName;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: StageFunctionProps) {
    super(scope, id);
    const { stage, environment, handler, zones, operations } = props;
    const { memoryMb, timeoutSeconds } = stages[stage];
    // endpoints for Step Functions and SageMaker would cost more than everything else that idles; neither stage sees a row
    const network = readsHistories(stage) || mirrorsModels(stage) ? undefined : props.network;
    const logGroup = operations.logGroup(this, `/aws/lambda/${functionName(environment, stage)}`);
    const role = this.#role({ ...props, network }, logGroup.logGroupArn);

    this.stage = stage;
    this.function = new LambdaFunction(this, 'Function', {
      functionName: functionName(environment, stage),
      description: `Stage ${stage}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(handler.directory),
      layers: handler.needsDuckdb ? [props.duckdb] : [],
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      // what does not fit into memory is spilled to disk, so there is as much of one as of the other
      ephemeralStorageSize: Size.mebibytes(Math.max(memoryMb, 512)),
      ...(environment.reservesConcurrency && { reservedConcurrentExecutions: itemsAtOnce(stage) ?? runsAtOnce }),
      environment: {
        ...Object.fromEntries(
          zoneNames.map((zone) => [`${zone.toUpperCase()}_BUCKET`, zones.of[zone].bucket.bucketName]),
        ),
        CODE_VERSION: props.codeVersion,
        MODEL_GROUP_PREFIX: modelGroupPrefix(environment),
        ...(opensVaults(stage) && { VAULT_KEY_ID: zones.vaultKey.keyArn }),
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

  #role(props: StageFunctionProps, logGroupArn: string): Role {
    const { stage, environment, zones, operations, useCaseIds, textModels, network } = props;
    const { reads, writes, lists } = stages[stage];
    const statements = [
      ...placeStatements(zones, reads, writes, lists),
      logging(logGroupArn),
      tracing(),
      new PolicyStatement({
        actions: ['sqs:SendMessage'],
        resources: [operations.undeliveredInvocations.queueArn],
      }),
    ];
    if (network) statements.push(...networkInterfaces(functionArn(this, environment, stage)));
    if (readsHistories(stage)) {
      statements.push(
        new PolicyStatement({ actions: ['states:GetExecutionHistory'], resources: allExecutions(this, environment) }),
      );
    }
    if (opensVaults(stage)) statements.push(vaultKeys(zones.vaultKey.keyArn, useCaseIds));
    if (writesTexts(stage) && textModels.length > 0) statements.push(askingModels(textModelArns(this, textModels)));
    if (mirrorsModels(stage)) statements.push(...mirroring(this, environment, useCaseIds));
    const policy = new ManagedPolicy(this, 'Policy', { description: `What stage ${stage} declares`, statements });
    return new Role(this, 'Role', {
      ...(opensVaults(stage) && { roleName: vaultOpenerRoleName(this, environment) }),
      description: `Stage ${stage}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      managedPolicies: [policy],
    });
  }
}

/** Report draws its run's graph from the execution's history. */
const readsHistories = (stage: StageName) => stage === 'Report';

/** Whose rows get their surrogates in it: the only one that may use the vaults' key. */
const opensVaults = (stage: StageName) => stages[stage].reads.includes('bronze/vault');

/** Recommend asks a model for texts where a use case declares one. */
const writesTexts = (stage: StageName) => stage === 'Recommend';

/** Promote shows the SageMaker Model Registry what the promotion log says. */
const mirrorsModels = (stage: StageName) => stage === 'Promote';

/** Adding to the groups of the use cases and changing approvals in them; nothing is deleted, and no endpoint is touched. */
function mirroring(scope: Construct, environment: Environment, useCaseIds: readonly string[]): PolicyStatement[] {
  const groups = modelGroups(scope, environment, useCaseIds);
  const packages = allModelPackages(scope, environment, useCaseIds);
  return [
    // tags are given with the group and never to a package
    new PolicyStatement({ actions: ['sagemaker:CreateModelPackageGroup', 'sagemaker:AddTags'], resources: groups }),
    // the request is checked against the group and against the package that it makes
    new PolicyStatement({ actions: ['sagemaker:CreateModelPackage'], resources: [...groups, ...packages] }),
    new PolicyStatement({ actions: ['sagemaker:UpdateModelPackage'], resources: packages }),
    // lists know no resources
    new PolicyStatement({ actions: ['sagemaker:ListModelPackages'], resources: ['*'] }),
  ];
}

/** How many runs of a stage may stand at it at once; further ones wait by the machine's retry. */
const runsAtOnce = 10;
