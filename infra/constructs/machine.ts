import { Stack } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type MachineName, type StageName, substitutionOf } from '../../src/stages.ts';
import { type Definition, definitions } from '../definitions.ts';
import type { Environment } from '../environments.ts';
import { executionArn, machineArn, machineName } from '../names.ts';
import type { Operations } from './operations.ts';
import { tracing } from './permissions.ts';
import type { StageFunction } from './stage-function.ts';

export type MachineProps = {
  readonly machine: MachineName;
  readonly environment: Environment;
  readonly functions: Readonly<Record<StageName, StageFunction>>;
  readonly bus: IEventBus;
  readonly operations: Operations;
};

/** One state machine from its file: every placeholder filled, and a role that may do what the file's placeholders stand for. */
export class Machine extends Construct {
  readonly machine: MachineName;
  readonly stateMachine: StateMachine;
  /** The labels of its distributed Maps. */
  readonly distributedMaps: readonly string[];

  constructor(scope: Construct, id: string, props: MachineProps) {
    super(scope, id);
    const { machine, environment, operations } = props;
    const definition = definitions[machine];
    const name = machineName(environment, machine);
    const logGroup = operations.logGroup(this, `/aws/vendedlogs/states/${name}`);
    const policy = new ManagedPolicy(this, 'Policy', {
      description: `What statemachines/${machine}.asl.json calls`,
      statements: this.#statements(definition, props),
    });
    const role = new Role(this, 'Role', {
      description: `Machine ${machine}`,
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      managedPolicies: [policy],
    });

    this.machine = machine;
    this.distributedMaps = definition.distributedMaps;
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definition.body),
      definitionSubstitutions: substitutions(definition, props),
      // the role is complete: nothing that the construct would add of itself gets in
      role: role.withoutPolicyUpdates(),
      // every event, but none of the data that went through
      logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: false },
      tracingEnabled: true,
    });
  }

  #statements({ stages, placeholders, distributedMaps }: Definition, props: MachineProps): PolicyStatement[] {
    const { machine, environment, functions, bus, operations } = props;
    const statements = [logDelivery(), tracing()];
    const allow = (actions: string[], resources: string[]) =>
      statements.push(new PolicyStatement({ actions, resources }));

    const called = stages.map((stage) => functions[stage].function.functionArn);
    allow(['lambda:InvokeFunction'], called);
    if (placeholders.includes('eventBusName')) allow(['events:PutEvents'], [bus.eventBusArn]);
    if (placeholders.includes('noticesTopicArn')) {
      allow(['sns:Publish'], [operations.notices.topicArn]);
      allow(['kms:Decrypt', 'kms:GenerateDataKey'], [operations.key.keyArn]);
    }
    if (distributedMaps.length > 0) {
      const executions = (pattern: string) => executionArn(this, environment, machine, pattern);
      // a distributed Map starts its items as executions of the machine itself
      allow(['states:StartExecution'], [machineArn(this, environment, machine)]);
      allow(['states:DescribeExecution', 'states:StopExecution'], [executions(':*')]);
      const items = distributedMaps.map((label) => executions(`/${label}:*`));
      allow(['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'], items);
    }
    return statements;
  }
}

function substitutions(definition: Definition, props: MachineProps): Record<string, string> {
  const known: Record<string, string> = {
    eventBusName: props.bus.eventBusName,
    noticesTopicArn: props.operations.notices.topicArn,
  };
  for (const stage of definition.stages) known[substitutionOf(stage)] = props.functions[stage].function.functionArn;
  return Object.fromEntries(
    definition.placeholders.map((placeholder) => {
      if (known[placeholder] !== undefined) return [placeholder, known[placeholder]];
      throw new Error(
        `statemachines/${props.machine}.asl.json has the placeholder \${${placeholder}}, for which there is neither a stage in ` +
          `src/stages.ts nor a value in infra/constructs/machine.ts. Correct its name, or add what it stands for.`,
      );
    }),
  );
}

/** CloudWatch's log deliveries are managed for the account as a whole: they know no resources. */
const logDelivery = (): PolicyStatement =>
  new PolicyStatement({
    actions: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ],
    resources: ['*'],
  });
