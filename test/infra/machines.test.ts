import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MachineName, machineNames, stageNames, substitutionOf } from '../../src/stages.ts';
import { deployAll, only, sorted, text } from './deployed.ts';

const { deployed } = deployAll();

const source = (machine: MachineName) =>
  JSON.parse(readFileSync(new URL(`../../statemachines/${machine}.asl.json`, import.meta.url), 'utf8')) as object;
const placeholdersIn = (definition: string) => [
  ...new Set(Array.from(definition.matchAll(/\$\{(\w+)\}/g), ([, name]) => name)),
];

test('every stage has a placeholder in a machine, and every other placeholder is the bus or the topic', () => {
  const all = new Set(machineNames.flatMap((machine) => placeholdersIn(JSON.stringify(source(machine)))));
  expect(sorted(all)).toEqual(sorted([...stageNames.map(substitutionOf), 'eventBusName', 'noticesTopicArn']));
});

describe.each(deployed)('the machines of $environment.name', ({ environment, of }) => {
  const machineOf = (machine: MachineName) =>
    only(of('AWS::StepFunctions::StateMachine'), ({ StateMachineName }) => StateMachineName.endsWith(`-${machine}`));

  test('are the five', () => {
    expect(Object.keys(of('AWS::StepFunctions::StateMachine'))).toHaveLength(machineNames.length);
  });

  test.each(machineNames)('%s is its file, with every placeholder filled', (machine) => {
    const { DefinitionString, DefinitionSubstitutions, StateMachineType } = machineOf(machine);
    expect(JSON.parse(DefinitionString)).toEqual(source(machine));
    expect(sorted(Object.keys(DefinitionSubstitutions))).toEqual(sorted(placeholdersIn(DefinitionString)));
    expect(StateMachineType).toBe('STANDARD');
  });

  test.each(machineNames)('%s calls under each placeholder the function of that stage', (machine) => {
    for (const [placeholder, value] of Object.entries(machineOf(machine)['DefinitionSubstitutions'])) {
      const stage = stageNames.find((name) => substitutionOf(name) === placeholder);
      if (!stage) continue;
      const { FunctionName } = of('AWS::Lambda::Function')[text(value).slice(1, -1)];
      expect(FunctionName).toBe(`bordereau-${environment.name}-${stage.toLowerCase()}`);
    }
  });

  test.each(machineNames)('%s logs every event, but none of the data', (machine) => {
    const { LoggingConfiguration, TracingConfiguration } = machineOf(machine);
    expect(LoggingConfiguration).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
    expect(TracingConfiguration).toEqual({ Enabled: true });
    const [{ CloudWatchLogsLogGroup }] = LoggingConfiguration.Destinations;
    const group = of('AWS::Logs::LogGroup')[text(CloudWatchLogsLogGroup.LogGroupArn).slice(1, -1)];
    expect(group).toMatchObject({
      LogGroupName: `/aws/vendedlogs/states/bordereau-${environment.name}-${machine}`,
      RetentionInDays: environment.logRetention,
    });
  });
});
