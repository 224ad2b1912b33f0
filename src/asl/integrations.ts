import { isObject } from './fields.ts';
import type { Json } from '../data/json.ts';

/** What a Task's Resource stands for. */
export type Integration = {
  /** As a task runner sees it: `lambda:invoke.waitForTaskToken`, or the ARN of a Lambda function. */
  resource: string;
  /** As events name it; undefined for a Lambda function called by its ARN, which has events of its own. */
  event: { resource: string; resourceType: string } | undefined;
  waitsForToken: boolean;
  /** The names that Arguments may have, and those it must have; undefined where it may have any. */
  parameters: { known: readonly string[]; required: readonly string[] } | undefined;
};

type Service = { patterns: readonly string[]; known: readonly string[]; required: readonly string[] };

/** The integrations by service and action, with their patterns ('' is request-response) and the fields AWS documents. */
const services: { [action: string]: Service } = {
  'lambda:invoke': {
    patterns: ['', 'waitForTaskToken'],
    known: words('FunctionName Payload Qualifier ClientContext InvocationType LogType'),
    required: ['FunctionName'],
  },
  'states:startExecution': {
    patterns: ['', 'sync:2'],
    known: words('StateMachineArn Input Name TraceHeader'),
    required: ['StateMachineArn'],
  },
  'events:putEvents': {
    patterns: ['', 'waitForTaskToken'],
    known: words('Entries EndpointId'),
    required: ['Entries'],
  },
  'sns:publish': {
    patterns: ['', 'waitForTaskToken'],
    known: words(
      `TopicArn TargetArn PhoneNumber Message Subject MessageStructure MessageAttributes MessageDeduplicationId
       MessageGroupId`,
    ),
    required: ['Message'],
  },
  'sagemaker:createTrainingJob': {
    patterns: ['sync'],
    known: words(
      `TrainingJobName AlgorithmSpecification RoleArn OutputDataConfig ResourceConfig StoppingCondition HyperParameters
       InputDataConfig VpcConfig Tags EnableNetworkIsolation EnableInterContainerTrafficEncryption Environment
       EnableManagedSpotTraining CheckpointConfig RetryStrategy DebugHookConfig DebugRuleConfigurations
       TensorBoardOutputConfig ExperimentConfig ProfilerConfig ProfilerRuleConfigurations InfraCheckConfig
       RemoteDebugConfig SessionChainingConfig`,
    ),
    required: words('TrainingJobName AlgorithmSpecification RoleArn OutputDataConfig ResourceConfig StoppingCondition'),
  },
};

function words(text: string): string[] {
  return text.split(/\s+/u);
}

const optimized = /^arn:[^:]+:states:[^:]*:[^:]*:([A-Za-z]+:[A-Za-z]+)(?:\.(.+))?$/u;
const lambdaFunction = /^(?:arn:[^:]+:lambda:[^:]*:[^:]*:function:.+|\$\{\w+\})$/u;

/** Reads a Resource; a problem says why it cannot be used. */
export function readIntegration(resource: string): { integration: Integration; problem?: string } {
  const integration: Integration = { resource, event: undefined, waitsForToken: false, parameters: undefined };
  if (lambdaFunction.test(resource)) return { integration };
  const [, action = '', pattern = ''] = optimized.exec(resource) ?? [];
  const service = services[action];
  if (service === undefined) {
    return { integration, problem: `The resource '${resource}' is not supported: known are ${knownResources()}.` };
  }
  if (!service.patterns.includes(pattern)) {
    const known = resourcesOf(action, service);
    return { integration, problem: `The resource '${resource}' is not supported: ${action} is known as ${known}.` };
  }
  const suffix = pattern === '' ? '' : `.${pattern}`;
  const [resourceType, name] = action.split(':');
  return {
    integration: {
      resource: action + suffix,
      event: { resource: name + suffix, resourceType },
      waitsForToken: pattern === 'waitForTaskToken',
      parameters: service,
    },
  };
}

/** The top-level fields of Arguments that the integration does not know, and those that it misses. */
export function wrongParameters({ parameters }: Integration, given: Json): { unknown: string[]; missing: string[] } {
  if (parameters === undefined || !isObject(given)) return { unknown: [], missing: [] };
  // JSONPath writes a field that holds a path as `Name.$`.
  const names = Object.keys(given).map((name) => name.replace(/\.\$$/u, ''));
  return {
    unknown: names.filter((name) => !parameters.known.includes(name)),
    missing: parameters.required.filter((name) => !names.includes(name)),
  };
}

const resourcesOf = (action: string, { patterns }: Service) =>
  patterns.map((pattern) => `arn:aws:states:::${action}${pattern && `.${pattern}`}`).join(', ');

const knownResources = () =>
  `${Object.entries(services)
    .map(([action, service]) => resourcesOf(action, service))
    .join(', ')} and the ARN of a Lambda function`;
