import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { eventSource } from '../../src/triggers.ts';
import { machineNames, type StageName, stageNames, stages, substitutionOf } from '../../src/stages.ts';
import { type Cfn, listed } from './deployed.ts';

// CommonJS without types
const validateAsl = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
  isValid: boolean;
  errorsText(): string;
};

type Visited = {
  name: string;
  state: Cfn;
  /** The Map round it, if any. */
  map?: Cfn;
};

/** Every state, those inside Maps and Parallels too. */
function visit(machine: { States: Cfn }, map?: Cfn): Visited[] {
  return Object.entries<Cfn>(machine.States).flatMap(([name, state]) => [
    { name, state, map },
    ...(state.ItemProcessor ? visit(state.ItemProcessor, state) : []),
    ...(state.Branches ?? []).flatMap((branch: { States: Cfn }) => visit(branch, map)),
  ]);
}

const machines = machineNames.map((machine) => {
  const file = new URL(`../../statemachines/${machine}.asl.json`, import.meta.url);
  const definition = JSON.parse(readFileSync(file, 'utf8'));
  const states = visit(definition);
  return { machine, definition, states, tasks: states.filter(({ state }) => state.Type === 'Task') };
});

const stageOf = ({ state }: Visited): StageName | undefined =>
  stageNames.find((stage) => state.Arguments.FunctionName === `\${${substitutionOf(stage)}}`);

describe.each(machines)('$machine', ({ definition, states, tasks }) => {
  test('is valid Amazon States Language', () => {
    // the validator writes into what it is given
    const result = validateAsl(structuredClone(definition) as object);
    expect(result.isValid ? 'valid' : result.errorsText()).toBe('valid');
  });

  test('is in JSONata and ends by itself', () => {
    expect(definition.QueryLanguage).toBe('JSONata');
    expect(definition.TimeoutSeconds).toBeGreaterThan(0);
  });

  test('calls only what its role allows for', () => {
    const known = ['lambda:invoke', 'events:putEvents', 'sns:publish'].map((call) => `arn:aws:states:::${call}`);
    for (const { state } of tasks) expect(known).toContain(state.Resource);
  });

  test.each(tasks)('$name ends in time, later than its function and earlier than the machine', (task) => {
    const stage = stageOf(task);
    expect(task.state.TimeoutSeconds).toBeGreaterThan(stage ? stages[stage].timeoutSeconds : 0);
    expect(task.state.TimeoutSeconds).toBeLessThan(definition.TimeoutSeconds);
  });

  test.each(tasks)('$name is tried again, after waits that grow, are capped and scattered', ({ state }) => {
    expect(state.Retry.length).toBeGreaterThan(0);
    for (const retrier of state.Retry) {
      expect(retrier).toMatchObject({ JitterStrategy: 'FULL', MaxDelaySeconds: expect.any(Number) });
      expect(retrier.BackoffRate).toBeGreaterThan(1);
      expect(retrier.MaxAttempts).toBeGreaterThan(1);
    }
  });

  test.each(tasks.filter(stageOf))(
    '$name is tried again when Lambda or the store has a bad moment, not when the stage refuses',
    ({ state }) => {
      const retried = state.Retry.flatMap(({ ErrorEquals }: Cfn) => ErrorEquals);
      const passing = ['Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException'];
      expect(retried).toEqual(
        expect.arrayContaining([...passing, 'Lambda.TooManyRequestsException', 'StoreUnavailable']),
      );
      expect(retried).not.toContain('States.ALL');
      expect(retried).not.toContain('States.TaskFailed');
    },
  );

  test.each(tasks)('$name that fails for good is caught, by itself or by its Map', ({ state, map }) => {
    const catchers = state.Catch ?? map?.Catch ?? [];
    expect(catchers.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
  });

  test('names States.ALL alone and last', () => {
    const everything = ({ ErrorEquals }: Cfn) => ErrorEquals.includes('States.ALL');
    for (const handlers of states.flatMap(({ state }) => [state.Retry ?? [], state.Catch ?? []])) {
      expect(handlers.slice(0, -1).filter(everything)).toEqual([]);
      for (const { ErrorEquals } of handlers.filter(everything)) expect(ErrorEquals).toEqual(['States.ALL']);
    }
  });

  test('publishes its events on the product’s bus, under its name, with an object as detail', () => {
    const entries = tasks.flatMap(({ state }) => listed<Cfn>(state.Arguments.Entries ?? []));
    for (const entry of entries) {
      expect(entry).toMatchObject({ EventBusName: '${eventBusName}', Source: eventSource });
      expect(entry.Detail).toMatchObject({ useCase: '{% $useCase %}' });
    }
  });

  test('bounds and names each of its Maps', () => {
    for (const { state } of states.filter(({ state: { Type } }) => Type === 'Map')) {
      expect(state.MaxConcurrency).toBeGreaterThan(0);
      // the items of an inline Map are no executions, which a label would name
      const isLabelled = /^[A-Za-z]{1,40}$/.test(state.Label ?? '');
      expect(isLabelled || state.ItemProcessor.ProcessorConfig.Mode !== 'DISTRIBUTED').toBe(true);
    }
  });
});
