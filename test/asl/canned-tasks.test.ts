import { describe, expect, test } from 'vitest';
import { InvalidCannedTasks } from '../../src/asl/canned-tasks.ts';
import type { Json } from '../../src/data/json.ts';
import { invoke, machineOf, run, startMs } from './run.ts';

const invokeWith = (rest: { [field: string]: Json }) => machineOf({ Work: invoke(rest) });

describe('canned tasks', () => {
  test('answer one call after the other, the last entry again and again', async () => {
    const machine = machineOf({
      Each: {
        Type: 'Map',
        Items: [1, 2, 3, 4],
        MaxConcurrency: 1,
        ItemProcessor: { StartAt: 'Work', States: { Work: invoke() } },
        End: true,
      },
    });
    const canned: Json = { Work: [{ return: 'a' }, { return: 'b' }] };
    expect((await run(machine, { canned })).output).toEqual(['a', 'b', 'b', 'b']);
  });

  test('throw an error, its cause as text whatever it is', async () => {
    const thrown = (cause: Json) => run(invokeWith({}), { canned: { Work: [{ throw: { error: 'No', cause } }] } });
    expect(await thrown('because')).toMatchObject({ error: 'No', cause: 'because' });
    expect(await thrown({ errorMessage: 'm' })).toMatchObject({ error: 'No', cause: '{"errorMessage":"m"}' });
  });

  test('take time on the clock, and none on the wall', async () => {
    const { stopMs } = await run(invokeWith({}), { canned: { Work: [{ waitSeconds: 86_400, return: 1 }] } });
    expect(stopMs).toBe(startMs + 86_400_000);
  });

  test.each([
    ['in time', 2, 'SUCCEEDED'],
    ['too late', 4, 'FAILED'],
  ])('give heartbeats %s', async (_title, heartbeatSeconds, status) => {
    const canned: Json = { Work: [{ waitSeconds: 10, heartbeatSeconds, return: 1 }] };
    const execution = await run(invokeWith({ HeartbeatSeconds: 3 }), { canned });
    expect(execution.status).toBe(status);
  });

  test('have an entry for every Task that runs', async () => {
    await expect(run(invokeWith({}))).rejects.toThrow("no entry for the Task 'Work'");
  });

  test.each<[string, Json, string]>([
    ['a state that is none', { Other: [{ return: 1 }] }, "/Other: the machine has no Task 'Other'; it has Work"],
    ['no entry', { Work: [] }, '/Work: expected at least one entry'],
    ['an entry that does nothing', { Work: [{ waitSeconds: 1 }] }, "/Work/0: expected either 'return' or 'throw'"],
    [
      'an entry that does both',
      { Work: [{ return: 1, throw: { error: 'E' } }] },
      "/Work/0: expected either 'return' or 'throw'",
    ],
    ['an unknown field', { Work: [{ return: 1, wait: 2 }] }, "/Work/0/wait: Field 'wait' is not supported."],
    [
      'an error without a name',
      { Work: [{ throw: { cause: 'c' } }] },
      "/Work/0/throw: Missing required field 'error'.",
    ],
    [
      'a negative wait',
      { Work: [{ return: 1, waitSeconds: -1 }] },
      '/Work/0/waitSeconds: Expected a number not below 0 but found -1.',
    ],
  ])('are refused for %s', (_title, canned, message) => {
    expect(() => run(invokeWith({}), { canned })).toThrow(InvalidCannedTasks);
    expect(() => run(invokeWith({}), { canned })).toThrow(message);
  });
});
