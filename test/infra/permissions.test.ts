import { describe, expect, test } from 'vitest';
import { machineNames, type Place, type StageName, stageNames, stages } from '../../src/stages.ts';
import {
  type Cfn,
  deployAll,
  type Deployed,
  listed,
  only,
  type Properties,
  sorted,
  text,
  useCases,
} from './deployed.ts';

const { deployed } = deployAll();

/** Where a resource may be a pattern, and why nothing narrower would do. */
const patterns: readonly { actions: RegExp; resources: RegExp; reason: string }[] = [
  {
    actions: /^s3:(Get|Put)Object$/,
    resources: /^<Zones(Bronze|Silver|Gold|Registry|Reports)\w+>\/[a-z]+\/\*$/,
    reason: 'objects are named when they are written; the prefix is the place that the stage declares',
  },
  {
    actions: /^xray:(PutTraceSegments|PutTelemetryRecords|GetSamplingRules|GetSamplingTargets)$/,
    resources: /^\*$/,
    reason: 'X-Ray knows no resources',
  },
  {
    actions:
      /^logs:((Create|Get|Update|Delete)LogDelivery|ListLogDeliveries|PutResourcePolicy|Describe(ResourcePolicies|LogGroups))$/,
    resources: /^\*$/,
    reason: 'log deliveries are the account’s; they know no resources',
  },
  {
    actions:
      /^ec2:((Create|Delete)NetworkInterface|Describe(NetworkInterfaces|Subnets)|(Assign|Unassign)PrivateIpAddresses)$/,
    resources: /^\*$/,
    reason: 'Lambda makes the interfaces for the function; the function’s own code is denied the same actions',
  },
  {
    actions: /^states:(GetExecutionHistory|DescribeExecution|StopExecution|RedriveExecution)$/,
    resources: /:execution:bordereau-(dev|staging|prod)-[a-z]+(\/[A-Z]\w+)?:\*$/,
    reason: 'executions are named when they are started',
  },
  {
    actions: /^sagemaker:(Create|Update)ModelPackage$/,
    resources: /:model-package\/bordereau-(dev|staging|prod)-[a-z-]+\/\*$/,
    reason: 'SageMaker numbers the packages of a group itself',
  },
  {
    actions: /^sagemaker:ListModelPackages$/,
    resources: /^\*$/,
    reason: 'the list of model packages knows no resources',
  },
];

const isVaultKey = (resource: string) => resource.startsWith('<ZonesVaultKey');

type Statement = { effect: string; actions: string[]; resources: string[]; conditions: Cfn };

function statementsOf(policy: Properties): Statement[] {
  return policy['PolicyDocument'].Statement.map((statement: Properties) => ({
    effect: statement['Effect'],
    actions: listed(statement['Action']),
    resources: listed(statement['Resource']).map(text),
    conditions: statement['Condition'] ?? {},
  }));
}

const policyOf = ({ of }: Deployed, description: string) =>
  statementsOf(only(of('AWS::IAM::ManagedPolicy'), ({ Description }) => Description === description));
const stagePolicy = (deployment: Deployed, stage: StageName) => policyOf(deployment, `What stage ${stage} declares`);

/** `s3:GetObject` on `<ZonesGold…>/features/*` is `GetObject gold/features`. */
const objectGrants = (statements: Statement[]) =>
  statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ actions, resources }) =>
      actions.flatMap((action) => resources.map((resource) => ({ action, resource }))),
    )
    .map(({ action, resource }) => ({
      action,
      found: /^<Zones(Bronze|Silver|Gold|Registry|Reports)\w+>\/(.+)\/\*$/.exec(resource),
    }))
    .filter(({ found }) => found)
    .map(({ action, found }) => `${action.slice(3)} ${found![1].toLowerCase()}/${found![2]}`);

describe.each(deployed)('permissions in $environment.name', (deployment) => {
  const { environment, of } = deployment;
  const allowed = Object.values(of('AWS::IAM::ManagedPolicy'))
    .flatMap(statementsOf)
    .filter(({ effect }) => effect === 'Allow');

  test('stand in policies of their own, never inline, and none is Amazon’s', () => {
    expect(of('AWS::IAM::Policy')).toEqual({});
    const own = Object.keys(of('AWS::IAM::ManagedPolicy')).map((logicalId) => `<${logicalId}>`);
    for (const { Policies, ManagedPolicyArns } of Object.values(of('AWS::IAM::Role'))) {
      expect(Policies).toBeUndefined();
      expect(own).toEqual(expect.arrayContaining(ManagedPolicyArns.map(text)));
    }
  });

  test('name every action', () => {
    const patterned = allowed.flatMap(({ actions }) => actions).filter((action) => action.includes('*'));
    expect(patterned).toEqual([]);
  });

  test('name every resource, but for the listed patterns', () => {
    const unexplained = allowed.flatMap(({ actions, resources }) =>
      resources
        .filter((resource) => resource.includes('*'))
        .flatMap((resource) => actions.map((action) => ({ action, resource })))
        .filter(
          ({ action, resource }) => !patterns.some((one) => one.actions.test(action) && one.resources.test(resource)),
        ),
    );
    expect(unexplained).toEqual([]);
  });

  test('are given to services of this account only', () => {
    const trusts = Object.values(of('AWS::IAM::Role')).flatMap(
      ({ AssumeRolePolicyDocument }) => AssumeRolePolicyDocument.Statement,
    );
    expect(trusts).toHaveLength(Object.keys(of('AWS::IAM::Role')).length);
    // Lambda takes a role only for functions of its own account
    for (const { Condition } of trusts.filter(({ Principal }) => Principal.Service !== 'lambda.amazonaws.com')) {
      expect(text(Condition.StringEquals['aws:SourceAccount'])).toBe('<AWS::AccountId>');
    }
  });

  test.each(stageNames)('%s may read and write what its stage declares, and nothing else', (stage) => {
    const { reads, writes } = stages[stage] as { reads: readonly Place[]; writes: readonly Place[] };
    const declared = [...reads.map((place) => `GetObject ${place}`), ...writes.map((place) => `PutObject ${place}`)];
    expect(sorted(objectGrants(stagePolicy(deployment, stage)))).toEqual(sorted(declared));
  });

  test.each(stageNames)('%s may list the places that it reads or looks at', (stage) => {
    const listings = stagePolicy(deployment, stage)
      .filter(({ actions }) => actions.includes('s3:ListBucket'))
      .flatMap(({ resources, conditions }) => {
        const zone = /^<Zones([A-Z][a-z]+)/.exec(resources[0])![1].toLowerCase();
        return listed<string>(conditions.StringLikeIfExists['s3:prefix']).map((prefix) => `${zone}/${prefix}`);
      });
    const { reads, lists = [] } = stages[stage];
    expect(sorted(listings)).toEqual(sorted([...reads, ...lists].map((place) => `${place}/*`)));
  });

  test.each(stageNames)('%s may use the keys of the zones that it reads and writes, through S3', (stage) => {
    const usable = (action: string) =>
      stagePolicy(deployment, stage)
        .filter(({ actions, resources }) => actions.includes(action) && !resources.some(isVaultKey))
        .flatMap(({ resources, conditions }) => {
          expect(text(conditions.StringEquals['kms:ViaService'])).toBe('s3.<AWS::Region>.amazonaws.com');
          return resources.map((key) => /^<Zones([A-Z][a-z]+)Key/.exec(key)![1].toLowerCase());
        });
    const zonesOf = (places: readonly string[]) => sorted(new Set(places.map((place) => place.split('/')[0])));
    expect(sorted(usable('kms:Decrypt'))).toEqual(zonesOf(stages[stage].reads));
    expect(sorted(usable('kms:GenerateDataKey'))).toEqual(zonesOf(stages[stage].writes));
  });

  test('the vaults’ key is for Validate alone, and there for the vaults of the use cases', () => {
    const granted = Object.values(of('AWS::IAM::ManagedPolicy')).flatMap((policy) =>
      statementsOf(policy)
        .filter(({ resources }) => resources.some(isVaultKey))
        .map((statement) => ({ of: policy['Description'], ...statement })),
    );
    expect(granted).toEqual([
      {
        of: 'What stage Validate declares',
        effect: 'Allow',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [expect.stringMatching(/^<ZonesVaultKey/)],
        conditions: { StringLike: { 'kms:EncryptionContext:vault': ['vault/motor-claims/*', 'vault/travel/*'] } },
      },
    ]);
    const told = Object.values(of('AWS::Lambda::Function'))
      .filter(({ Environment }) => Environment?.Variables.VAULT_KEY_ID)
      .map(({ FunctionName, Environment }) => [FunctionName, text(Environment.Variables.VAULT_KEY_ID)]);
    expect(told).toEqual([[`bordereau-${environment.name}-validate`, granted[0].resources[0]]]);
  });

  test('no function may ask a model where no use case declares one', () => {
    expect(allowed.flatMap(({ actions }) => actions).filter((action) => action.startsWith('bedrock:'))).toEqual([]);
  });

  test('raw drops are read by Validate alone', () => {
    const readers = stageNames.filter((stage) =>
      objectGrants(stagePolicy(deployment, stage)).includes('GetObject bronze/drops'),
    );
    expect(readers).toEqual(['Validate']);
    for (const stage of ['Pin', 'Score', 'Publish'] as const) {
      const grants = stagePolicy(deployment, stage).flatMap(({ resources }) => resources);
      expect(grants.filter((resource) => resource.includes('Bronze'))).toEqual([]);
    }
  });

  test('what a version in shadow predicts is read by nobody who acts on it', () => {
    const readers = stageNames.filter((stage) =>
      objectGrants(stagePolicy(deployment, stage)).includes('GetObject gold/shadows'),
    );
    expect(readers).toEqual(['Govern', 'Pin', 'Score', 'Publish']);
  });

  test('a promotion is written by no stage of training, scoring or monitoring', () => {
    const writers = stageNames.filter((stage) =>
      objectGrants(stagePolicy(deployment, stage)).includes('PutObject registry/promotions'),
    );
    expect(writers.flatMap((stage) => stages[stage].machines).every((machine) => machine === 'govern')).toBe(true);
    expect(writers).toContain('Promote');
  });

  test('nothing that was written can be deleted by a function', () => {
    const deleting = /^(s3:.*(Delete|Bypass)|sagemaker:Delete)/;
    expect(allowed.flatMap(({ actions }) => actions).filter((action) => deleting.test(action))).toEqual([]);
  });

  test('Promote alone may write to the model registry, and there to the groups of this environment’s use cases', () => {
    const grants = (stage: StageName) =>
      stagePolicy(deployment, stage).flatMap(({ actions, resources }) =>
        actions
          .filter((action) => action.startsWith('sagemaker:'))
          .flatMap((action) => resources.map((resource) => `${action.slice(10)} ${resource.split(':').at(-1)}`)),
      );
    expect(stageNames.filter((stage) => grants(stage).length > 0)).toEqual(['Promote']);
    const groups = useCases.map(({ id }) => `model-package-group/bordereau-${environment.name}-${id}`);
    const packages = useCases.map(({ id }) => `model-package/bordereau-${environment.name}-${id}/*`);
    const each = (action: string, resources: string[]) => resources.map((resource) => `${action} ${resource}`);
    expect(sorted(grants('Promote'))).toEqual(
      sorted([
        ...each('CreateModelPackageGroup', groups),
        ...each('AddTags', groups),
        ...each('CreateModelPackage', [...groups, ...packages]),
        ...each('ListModelPackages', ['*']),
        ...each('UpdateModelPackage', packages),
      ]),
    );
  });

  test.each(machineNames)('%s may call the functions in its file', (machine) => {
    const { DefinitionSubstitutions } = only(of('AWS::StepFunctions::StateMachine'), ({ StateMachineName }) =>
      StateMachineName.endsWith(`-${machine}`),
    );
    const functions = Object.entries(DefinitionSubstitutions as Properties)
      .filter(([placeholder]) =>
        stageNames.some((stage) => placeholder === `${stage[0].toLowerCase()}${stage.slice(1)}Arn`),
      )
      .map(([, arn]) => text(arn));
    const callable = policyOf(deployment, `What statemachines/${machine}.asl.json calls`)
      .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
      .flatMap(({ resources }) => resources);
    expect(sorted(callable)).toEqual(sorted(functions));
  });

  test('the machines with a distributed Map, and only they, may start, watch, stop and redrive their own items', () => {
    const selfStarting = machineNames.filter((machine) => {
      const statements = policyOf(deployment, `What statemachines/${machine}.asl.json calls`);
      const may = (action: string) =>
        statements.filter(({ actions }) => actions.includes(action)).flatMap(({ resources }) => resources);
      if (may('states:StartExecution').length === 0) return false;
      const itself = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:bordereau-${environment.name}-${machine}`;
      expect(may('states:StartExecution')).toEqual([itself]);
      for (const action of ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution']) {
        expect(
          may(action).some((resource) => resource.includes(`execution:bordereau-${environment.name}-${machine}/`)),
        ).toBe(true);
      }
      return true;
    });
    expect(selfStarting).toEqual(['ingest', 'train', 'score']);
  });

  test('of resources are given to a service under a condition; a key’s owner is the account', () => {
    const documents = [
      ...Object.values(of('AWS::KMS::Key')).map(({ KeyPolicy }) => KeyPolicy),
      ...['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'].flatMap((type) =>
        Object.values(of(type)).map(({ PolicyDocument }) => PolicyDocument),
      ),
    ];
    const grants: Properties[] = documents
      .flatMap(({ Statement }) => Statement)
      .filter(({ Effect }) => Effect === 'Allow');
    const unconditional = grants.filter(({ Condition }) => !Condition);
    for (const { Principal, Action } of unconditional) {
      expect(Action).toBe('kms:*');
      expect(text(Principal.AWS)).toBe('arn:<AWS::Partition>:iam::<AWS::AccountId>:root');
    }
    expect(unconditional).toHaveLength(Object.keys(of('AWS::KMS::Key')).length);
    for (const { Principal } of grants.filter(({ Condition }) => Condition))
      expect(Object.keys(Principal)).toEqual(['Service']);
  });
});

test('where a use case declares a model for its texts, Recommend may ask it, and in isolation by an endpoint of its own', () => {
  const model = 'amazon.nova-lite-v1:0';
  const models = [model, `eu.${model}`];
  const [first, second] = useCases;
  const declared = [first, second].map((useCase, i) => ({
    ...useCase,
    recommend: { text: { model: { id: models[i] } } },
  }));
  const foundation = (region: string) => `arn:<AWS::Partition>:bedrock:${region}::foundation-model/${model}`;
  const expected = [
    foundation('<AWS::Region>'),
    foundation('*'),
    `arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:inference-profile/eu.${model}`,
  ];
  for (const deployment of deployAll([], declared).deployed) {
    const grants = stageNames.flatMap((stage) =>
      stagePolicy(deployment, stage)
        .filter(({ actions }) => actions.includes('bedrock:InvokeModel'))
        .map(({ resources }) => ({ stage, resources: sorted(resources) })),
    );
    expect(grants).toEqual([{ stage: 'Recommend', resources: sorted(expected) }]);
    const services = Object.values(deployment.of('AWS::EC2::VPCEndpoint')).map(({ ServiceName }) => text(ServiceName));
    expect(services.filter((name) => name.endsWith('bedrock-runtime'))).toHaveLength(
      deployment.environment.isolated ? 1 : 0,
    );
  }
});
