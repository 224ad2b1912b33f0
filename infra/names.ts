/** The names of deployed things, where they have to be known before the thing exists or are what people look for. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { modelGroupName } from '../src/adapters/aws/model-group.ts';
import { type MachineName, machineNames, type StageName } from '../src/stages.ts';
import type { Environment } from './environments.ts';

/** `bordereau-dev`: the stack, the event bus, the dashboard and the first part of every other name. */
export const productName = (environment: Environment): string => `bordereau-${environment.name}`;

/** `validate`: the stage in file and resource names. */
export const kebab = (stage: StageName): string => stage.replace(/(?<!^)(?=[A-Z])/g, '-').toLowerCase();

export const functionName = (environment: Environment, stage: StageName): string =>
  `${productName(environment)}-${kebab(stage)}`;

export const machineName = (environment: Environment, machine: MachineName): string =>
  `${productName(environment)}-${machine}`;

/** Under which the stages' own metrics are published, with the dimensions `service` and `useCase`. */
export const metricNamespace = (environment: Environment): string => `Bordereau/${environment.name}`;
export const metricService = 'bordereau';

/** Roles are the account's, of whichever region their stack is. The vaults' key names these two before they exist. */
export const vaultOpenerRoleName = (scope: Construct, environment: Environment): string =>
  `${productName(environment)}-vault-opener-${Stack.of(scope).region}`;
export const reIdentificationRoleName = (scope: Construct, environment: Environment): string =>
  `${productName(environment)}-re-identification-${Stack.of(scope).region}`;

export function roleArn(scope: Construct, roleName: string): string {
  return Stack.of(scope).formatArn({ service: 'iam', region: '', resource: 'role', resourceName: roleName });
}

export function functionArn(scope: Construct, environment: Environment, stage: StageName): string {
  return arn(scope, 'lambda', 'function', functionName(environment, stage));
}

export function machineArn(scope: Construct, environment: Environment, machine: MachineName): string {
  return arn(scope, 'states', 'stateMachine', machineName(environment, machine));
}

/** @param execution a name, or a pattern of names */
export function executionArn(
  scope: Construct,
  environment: Environment,
  machine: MachineName,
  execution: string,
): string {
  return arn(scope, 'states', 'execution', `${machineName(environment, machine)}${execution}`);
}

/** Every execution of every machine. */
export const allExecutions = (scope: Construct, environment: Environment): string[] =>
  machineNames.map((machine) => executionArn(scope, environment, machine, ':*'));

/** The first part of the names of the deployment's groups in the SageMaker Model Registry. */
export const modelGroupPrefix = productName;

/** The model package groups of the use cases. */
export const modelGroups = (scope: Construct, environment: Environment, useCaseIds: readonly string[]): string[] =>
  useCaseIds.map((id) => sageMakerArn(scope, 'model-package-group', groupOf(environment, id)));

/** Every model package in those groups. */
export const allModelPackages = (scope: Construct, environment: Environment, useCaseIds: readonly string[]): string[] =>
  useCaseIds.map((id) => sageMakerArn(scope, 'model-package', `${groupOf(environment, id)}/*`));

/**
 * What asking those models of Bedrock takes: a model of this region, or an inference profile (`eu.…`) and its model in whichever
 * region the profile chooses.
 */
export function textModelArns(scope: Construct, ids: readonly string[]): string[] {
  const { partition, region } = Stack.of(scope);
  const model = (id: string, where: string) => `arn:${partition}:bedrock:${where}::foundation-model/${id}`;
  return ids.flatMap((id) => {
    const profiled = /^(?:us|us-gov|eu|apac|global)\.(.+)$/.exec(id)?.[1];
    if (profiled === undefined) return [model(id, region)];
    const profile = { service: 'bedrock', resource: 'inference-profile', resourceName: id };
    return [Stack.of(scope).formatArn(profile), model(profiled, '*')];
  });
}

const groupOf = (environment: Environment, useCaseId: string) =>
  modelGroupName(modelGroupPrefix(environment), useCaseId);

function sageMakerArn(scope: Construct, resource: string, resourceName: string): string {
  return Stack.of(scope).formatArn({ service: 'sagemaker', resource, resourceName });
}

function arn(scope: Construct, service: string, resource: string, resourceName: string): string {
  return Stack.of(scope).formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}
