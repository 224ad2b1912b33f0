/**
 * Findings of cdk-nag that are decided rather than mended, each with its reason. A finding that does not stand here fails the
 * synthesis; what stands here is acknowledged for the named construct only.
 */
import { type Stack, Validations } from 'aws-cdk-lib';
import { type Place, stageNames, stages } from '../src/stages.ts';
import { objectsAt, vaultAudits, vaultObjects } from './constructs/permissions.ts';
import type { Machine } from './constructs/machine.ts';
import { type Online, onlineReads, onlineWrites } from './constructs/online.ts';
import type { Zones } from './constructs/zones.ts';
import type { Environment } from './environments.ts';
import { allExecutions, allModelPackages, executionArn, textModelArns } from './names.ts';

export type AcknowledgeProps = {
  readonly environment: Environment;
  readonly zones: Zones;
  readonly machines: readonly Machine[];
  readonly useCaseIds: readonly string[];
  readonly textModels: readonly string[];
  readonly deciding: readonly Online[];
  /** Whether there is a role for it. */
  readonly reidentifies: boolean;
};

export function acknowledge(stack: Stack, props: AcknowledgeProps): void {
  for (const { rules, at, reason } of [...decided(props), ...patterns(stack, props)]) {
    for (const path of at) {
      const construct = path
        .split('/')
        .reduce((scope, id) => scope.node.findChild(id), stack as Parameters<typeof Validations.of>[0]);
      Validations.of(construct).acknowledge(...rules.map((id) => ({ id, reason })));
    }
  }
}

type Acknowledgement = {
  rules: readonly string[];
  /** Paths of constructs below the stack. */
  at: readonly string[];
  reason: string;
};

function decided({ environment: { isolated, reservesConcurrency }, deciding }: AcknowledgeProps): Acknowledgement[] {
  const functions = [...stageNames, ...deciding.map(({ node }) => node.id)];
  const acknowledged: Acknowledgement[] = [
    {
      rules: ['HIPAA.Security-S3BucketReplicationEnabled'],
      at: ['Zones'],
      reason:
        'Versions restore what was overwritten or deleted. A second region would hold insured data a second time, which the ' +
        'owner of the data has to decide, not a template.',
    },
    {
      rules: ['HIPAA.Security-S3DefaultEncryptionKMS'],
      at: ['Zones/AccessLogs'],
      reason:
        'S3 delivers access logs only to buckets under its own keys (SSE-S3). They hold keys and callers, no data.',
    },
    {
      rules: ['Serverless-SQSRedrivePolicy', 'AwsSolutions-SQS3'],
      at: ['Operations'],
      reason:
        'These queues are the dead-letter queues: of rules, schedules, functions and the subscription to notices.',
    },
  ];
  if (isolated) {
    acknowledged.push(
      {
        rules: ['HIPAA.Security-LambdaInsideVPC'],
        at: ['Report'],
        reason:
          'Report asks Step Functions for the history of its run, for which the isolated network has no way out. It reads the ' +
          'facts of reports and the lease of a training, which hold no row of insured data.',
      },
      {
        rules: ['HIPAA.Security-LambdaInsideVPC'],
        at: ['Promote'],
        reason:
          'Promote writes to the SageMaker Model Registry, for which the isolated network has no way out. It reads model ' +
          'versions, the promotion log and the facts of reports, which hold figures over all rows and no row of insured data.',
      },
      {
        rules: ['HIPAA.Security-VPCDefaultSecurityGroupClosed'],
        at: ['Network'],
        reason:
          'Nothing is in the default group, and nothing can leave the network but to S3 and to the vaults’ key. Closing it needs a custom resource with ' +
          'a function that may edit security groups: more than it protects.',
      },
    );
  } else {
    acknowledged.push({
      rules: ['HIPAA.Security-LambdaInsideVPC'],
      at: functions,
      reason: 'Synthetic data only. Network interfaces would make deleting the stack take half an hour.',
    });
  }
  if (!reservesConcurrency) {
    acknowledged.push({
      rules: ['HIPAA.Security-LambdaConcurrency'],
      at: functions,
      reason: 'A new account has ten concurrent functions altogether, of which none can be reserved.',
    });
  }
  return acknowledged;
}

/** Resources that end in a pattern, because what they stand for has no name yet. */
function patterns(
  stack: Stack,
  { environment, zones, machines, useCaseIds, textModels, deciding, reidentifies }: AcknowledgeProps,
): Acknowledgement[] {
  const wildcard = (resource: string) => `AwsSolutions-IAM5[Resource::${flattened(stack, resource)}]`;
  const executions = (machine: Machine) => [
    executionArn(stack, environment, machine.machine, ':*'),
    ...machine.distributedMaps.map((label) => executionArn(stack, environment, machine.machine, `/${label}:*`)),
  ];
  const inMaps = machines.filter(({ distributedMaps }) => distributedMaps.length > 0);
  return [
    ...stageNames.map((stage) => ({
      rules: placesOf(stage).map((place) => wildcard(objectsAt(zones, place))),
      at: [`${stage}/Policy`],
      reason: 'Objects are named when they are written. The prefix is the narrowest resource that there is.',
    })),
    {
      rules: ['AwsSolutions-IAM5[Resource::*]'],
      at: stageNames.map((stage) => `${stage}/Policy`),
      reason:
        'X-Ray, the network interfaces that Lambda makes for a function, and the list of model packages know no resources. ' +
        'test/infra/permissions.test.ts holds the list of actions that may stand with it.',
    },
    {
      rules: ['AwsSolutions-IAM5[Resource::*]'],
      at: machines.map(({ node }) => `${node.id}/Policy`),
      reason: 'X-Ray and log deliveries know no resources. test/infra/permissions.test.ts holds the list of actions.',
    },
    {
      rules: allExecutions(stack, environment).map(wildcard),
      at: ['Report/Policy'],
      reason: 'Executions are named when they are started; Report reads the history of the one that it ends.',
    },
    {
      rules: allModelPackages(stack, environment, useCaseIds).map(wildcard),
      at: ['Promote/Policy'],
      reason:
        'SageMaker numbers model packages when they are made. The group of the use case is the narrowest there is.',
    },
    {
      rules: textModelArns(stack, textModels)
        .filter((model) => model.includes('*'))
        .map(wildcard),
      at: ['Recommend/Policy'],
      reason: 'An inference profile answers from whichever region has room; its model is named.',
    },
    ...deciding.map(({ node }) => ({
      rules: [...[...onlineReads, ...onlineWrites].map((place) => objectsAt(zones, place)), '*'].map(wildcard),
      at: [`${node.id}/Policy`],
      reason:
        'Objects are named when they are written; X-Ray and the network interfaces know no resources. ' +
        'test/infra/online.test.ts holds the list of actions.',
    })),
    ...(reidentifies
      ? [
          {
            rules: [...vaultObjects(zones, useCaseIds), ...vaultAudits(zones, useCaseIds)].map(wildcard),
            at: ['ReIdentification/Policy'],
            reason:
              'The entries of a vault and of its audit log are numbered when they are written. The vaults of the use case are ' +
              'the narrowest there is; test/infra/re-identification.test.ts holds every statement.',
          },
        ]
      : []),
    ...inMaps.map((machine) => ({
      rules: executions(machine).map(wildcard),
      at: [`${machine.node.id}/Policy`],
      reason: 'A distributed Map runs each item as an execution of the machine itself, named when it is started.',
    })),
  ];
}

const placesOf = (stage: keyof typeof stages): Place[] => [
  ...new Set([...stages[stage].reads, ...stages[stage].writes]),
];

type Part = string | { Ref: string } | { 'Fn::GetAtt': [string, string] };

/** As cdk-nag writes a resource in a finding: references in angle brackets. */
function flattened(stack: Stack, resource: string): string {
  const resolved = stack.resolve(resource) as string | { 'Fn::Join': [string, Part[]] };
  if (typeof resolved === 'string') return resolved;
  return resolved['Fn::Join'][1]
    .map((part) => {
      if (typeof part === 'string') return part;
      return `<${'Ref' in part ? part.Ref : part['Fn::GetAtt'].join('.')}>`;
    })
    .join('');
}
