import { describe, expect, test } from 'vitest';
import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';
import { NotRedrivable, TaskError } from '../../src/asl/errors.ts';
import type { Execution } from '../../src/asl/execution.ts';
import { redrive } from '../../src/asl/executor.ts';
import type { TaskRunner } from '../../src/asl/tasks.ts';
import type { Json } from '../../src/data/json.ts';
import { invoke, machineOf, run, startMs, surroundings } from './run.ts';

const copy = (execution: Execution) => JSON.parse(JSON.stringify(execution)) as Execution;
const typesOf = ({ history }: Execution) => history.map(({ type }) => type);

/** A Task whose payload is unique within the machine, so that it can be told whether it ran twice. */
const work = (payload: Json, rest: { [field: string]: Json } = {}) =>
  invoke({ Arguments: { FunctionName: 'f', Payload: payload }, Output: '{% $states.result.Payload %}', ...rest });

/** Every kind of state, with nesting, a retry and a catch. */
const everything = machineOf({
  Begin: { Type: 'Pass', Assign: { factor: 10 }, Next: 'First' },
  First: work('first', {
    Retry: [{ ErrorEquals: ['Flaky'], MaxAttempts: 2 }],
    Assign: { first: '{% $states.result.Payload %}' },
    Next: 'Both',
  }),
  Both: {
    Type: 'Parallel',
    Branches: [
      {
        StartAt: 'Left',
        States: {
          Left: work('left', { Next: 'Rest' }),
          Rest: { Type: 'Wait', Seconds: 3, Next: 'More' },
          More: work('more'),
        },
      },
      {
        StartAt: 'Inline',
        States: {
          Inline: {
            Type: 'Map',
            Items: ['a', 'b', 'c'],
            MaxConcurrency: 2,
            ItemProcessor: {
              StartAt: 'Prepare',
              States: {
                Prepare: { Type: 'Pass', Assign: { prepared: '{% $states.input & $string($factor) %}' }, Next: 'Item' },
                Item: work('{% $prepared %}'),
              },
            },
            End: true,
          },
        },
      },
    ],
    Next: 'Which',
  },
  Which: { Type: 'Choice', Choices: [{ Condition: '{% $first = "first" %}', Next: 'Spread' }], Default: 'Done' },
  Spread: {
    Type: 'Map',
    Items: ['x', 'y', 'z'],
    MaxConcurrency: 2,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'Child',
      States: { Child: work('{% $states.input %}', { Next: 'Twice' }), Twice: work("{% $states.input & '2' %}") },
    },
    Next: 'Caught',
  },
  Caught: work('caught', {
    Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.input %}', Next: 'Done' }],
    Next: 'Done',
  }),
  Done: { Type: 'Succeed', Output: { factor: '{% $factor %}', spread: '{% $states.input %}' } },
});

/** Counts how often each payload's work was done; `first` fails once, `caught` always. */
function worker(clock: SteppedClock) {
  const done: string[] = [];
  let flaky = true;
  const tasks: TaskRunner = async ({ arguments: given, signal }) => {
    const payload = (given as { Payload: string }).Payload;
    await clock.sleep(payload.length * 1000, signal);
    if (payload === 'caught') throw new TaskError('Refused');
    if (payload === 'first' && flaky) {
      flaky = false;
      throw new TaskError('Flaky');
    }
    done.push(payload);
    return { Payload: payload };
  };
  return { tasks, done };
}

test('21. killed after any event and redriven, no finished task runs again and the output is the same', async () => {
  const clock = new SteppedClock(startMs);
  const { tasks, done } = worker(clock);
  const finished: string[] = [];
  const moments: { snapshot: string; finished: string[]; type: string }[] = [];
  const whole = await run(everything, {
    clock,
    tasks,
    onEvent(event, _origin, execution) {
      const { output } = (event['taskSucceededEventDetails'] ?? {}) as { output?: string };
      if (output !== undefined) finished.push((JSON.parse(output) as { Payload: string }).Payload);
      moments.push({ snapshot: JSON.stringify(execution), finished: [...finished], type: event.type });
    },
  });
  expect(whole.status).toBe('SUCCEEDED');
  expect(done.toSorted()).toEqual(['a10', 'b10', 'c10', 'first', 'left', 'more', 'x', 'x2', 'y', 'y2', 'z', 'z2']);
  // The children's events are moments too.
  expect(moments.length).toBeGreaterThan(whole.history.length);

  for (const moment of moments) {
    const snapshot = JSON.parse(moment.snapshot) as Execution;
    if (snapshot.status === 'SUCCEEDED') continue;
    const again = worker(clock);
    const redriven = await redrive(snapshot, { ...surroundings(clock), tasks: again.tasks });
    expect(redriven.output).toEqual(whole.output);
    expect([...moment.finished, ...again.done].toSorted()).toEqual(done.toSorted());
    expect(redriven.history.slice(0, snapshot.history.length)).toEqual(snapshot.history);
    expect(redriven.history.map(({ id }) => id)).toEqual(redriven.history.map((_, index) => index + 1));
  }
});

describe('a failed execution that is redriven', () => {
  const machine = machineOf({
    One: work('one', { Next: 'Two' }),
    Two: work('two', { Retry: [{ ErrorEquals: ['Refused'], MaxAttempts: 1 }] }),
  });
  const refusing: TaskRunner = async ({ stateName }) => {
    if (stateName === 'Two') throw new TaskError('Refused');
    return { Payload: 'one' };
  };
  const accepting: TaskRunner = async ({ context }) => ({ Payload: context });

  test('goes on after its last event with the state that failed, and retries it anew', async () => {
    const failed = await run(machine, { tasks: refusing });
    const attempts: number[] = [];
    const before = copy(failed);
    const again = await redrive(failed, {
      ...surroundings(),
      tasks: async ({ attempt }) => {
        attempts.push(attempt);
        if (attempt === 0) throw new TaskError('Refused');
        return { Payload: 'two' };
      },
    });
    expect(failed).toEqual(before);
    expect(attempts).toEqual([0, 1]);
    expect(again.history.slice(failed.history.length)).toMatchObject([
      { type: 'ExecutionRedriven', previousEventId: 14, executionRedrivenEventDetails: { redriveCount: 1 } },
      { type: 'TaskScheduled', previousEventId: 15 },
      { type: 'TaskStarted' },
      { type: 'TaskFailed' },
      { type: 'TaskScheduled' },
      { type: 'TaskStarted' },
      { type: 'TaskSucceeded' },
      { type: 'TaskStateExited' },
      { type: 'ExecutionSucceeded' },
    ]);
    expect(again).toMatchObject({ status: 'SUCCEEDED', output: 'two', redriveCount: 1 });
    expect(again).not.toHaveProperty('error');
  });

  test('tells its machine how often, and when', async () => {
    const failed = await run(machine, { tasks: refusing });
    const twice = await redrive(await redrive(failed, { ...surroundings(), tasks: refusing }), {
      ...surroundings(new SteppedClock(startMs + 60_000)),
      tasks: accepting,
    });
    expect(twice.output).toMatchObject({ Execution: { RedriveCount: 2, RedriveTime: '2026-01-01T00:01:00.000Z' } });
  });

  test('runs only the iterations again that had failed or not begun', async () => {
    const inline = machineOf({
      Each: {
        Type: 'Map',
        Items: [0, 1, 2],
        MaxConcurrency: 1,
        ItemProcessor: { StartAt: 'Item', States: { Item: work('{% $states.input %}') } },
        End: true,
      },
    });
    const failing: TaskRunner = async ({ arguments: given }) => {
      const { Payload } = given as { Payload: number };
      if (Payload === 1) throw new TaskError('Refused');
      return { Payload };
    };
    const failed = await run(inline, { tasks: failing });
    const ran: Json[] = [];
    const again = await redrive(failed, {
      ...surroundings(),
      tasks: async ({ arguments: given }) => {
        ran.push((given as { Payload: Json }).Payload);
        return given;
      },
    });
    expect(ran).toEqual([1, 2]);
    expect(again.output).toEqual([0, 1, 2]);
    expect(typesOf(again).slice(failed.history.length, failed.history.length + 3)).toEqual([
      'ExecutionRedriven',
      'MapIterationStarted',
      'TaskScheduled',
    ]);
  });

  test('redrives its Map Run, and in it only the children that did not succeed', async () => {
    const spread = machineOf({
      Each: {
        Type: 'Map',
        Items: [0, 1, 2],
        MaxConcurrency: 1,
        Label: 'Each',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Item',
          States: { Item: work('{% $states.input %}', { Output: '{% $states.context.Execution.RedriveCount %}' }) },
        },
        End: true,
      },
    });
    const failed = await run(spread, {
      tasks: async ({ arguments: given }) => {
        if ((given as { Payload: number }).Payload === 1) throw new TaskError('Refused');
        return {};
      },
    });
    const children: string[] = [];
    const again = await redrive(failed, {
      ...surroundings(),
      tasks: async () => ({}),
      onEvent: ({ id, type }, { within }) => {
        if (within.length > 0) children.push(`${within[0].index} ${id} ${type}`);
      },
    });
    expect(again.output).toEqual([0, 1, 0]);
    expect(again.history.slice(failed.history.length)).toMatchObject([
      { type: 'ExecutionRedriven' },
      { type: 'MapRunRedriven', mapRunRedrivenEventDetails: { redriveCount: 1 } },
      { type: 'MapRunSucceeded' },
      { type: 'MapStateSucceeded' },
      { type: 'MapStateExited' },
      { type: 'ExecutionSucceeded' },
    ]);
    // The child that failed goes on in its own history, the one that had not begun begins.
    expect(children.slice(0, 2)).toEqual(['1 7 ExecutionRedriven', '1 8 TaskScheduled']);
    expect(children.find((line) => line.startsWith('2'))).toBe('2 1 ExecutionStarted');
  });

  test('runs all of a Map again whose outputs together were too large', async () => {
    const large = machineOf({
      Each: {
        Type: 'Map',
        Items: [0, 1],
        ItemProcessor: { StartAt: 'Item', States: { Item: work('{% $states.input %}') } },
        End: true,
      },
    });
    let calls = 0;
    const returning =
      (letters: number): TaskRunner =>
      async () => {
        calls += 1;
        return { Payload: 'a'.repeat(letters) };
      };
    const failed = await run(large, { tasks: returning(140_000) });
    expect(failed.error).toBe('States.DataLimitExceeded');
    const again = await redrive(failed, { ...surroundings(), tasks: returning(1) });
    expect({ calls, output: again.output }).toEqual({ calls: 4, output: ['a', 'a'] });
  });

  test('has its machine-level timeout anew', async () => {
    const slow = machineOf(
      { Rest: { Type: 'Wait', Seconds: 8, Next: 'Work' }, Work: work('w') },
      { TimeoutSeconds: 10 },
    );
    const clock = new SteppedClock(startMs);
    let seconds = 5;
    const tasks: TaskRunner = async ({ signal }) => {
      await clock.sleep(seconds * 1000, signal);
      return { Payload: 'done' };
    };
    const timedOut = await run(slow, { clock, tasks });
    expect(timedOut).toMatchObject({ status: 'TIMED_OUT', stopMs: startMs + 10_000 });
    seconds = 9;
    expect(await redrive(timedOut, { ...surroundings(clock), tasks })).toMatchObject({
      status: 'SUCCEEDED',
      stopMs: startMs + 19_000,
    });
  });
});

describe('an execution', () => {
  const waiting = machineOf({ Rest: { Type: 'Wait', Seconds: 60, End: true } });

  test('that is stopped has the status ABORTED and can be redriven', async () => {
    const clock = new SteppedClock(startMs);
    const stop = new AbortController();
    void clock.sleep(5000).then(() => stop.abort());
    const aborted = await run(waiting, { clock, signal: stop.signal });
    expect(aborted).toMatchObject({ status: 'ABORTED', stopMs: startMs + 5000 });
    expect(aborted.history.at(-1)).toMatchObject({ type: 'ExecutionAborted', previousEventId: 0 });
    const again = await redrive(aborted, { ...surroundings(clock), tasks: async () => ({}) });
    expect(typesOf(again)).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
      'ExecutionAborted',
      'ExecutionRedriven',
      'WaitStateExited',
      'ExecutionSucceeded',
    ]);
  });

  test('that succeeded is not redriven, nor one whose history is full', async () => {
    const options = { ...surroundings(), tasks: async () => ({}) };
    await expect(redrive(await run(waiting), options)).rejects.toThrow(NotRedrivable);
    const endless = machineOf({
      A: { Type: 'Pass', Next: 'B' },
      B: { Type: 'Choice', Choices: [{ Condition: false, Next: 'C' }], Default: 'A' },
      C: { Type: 'Succeed' },
    });
    await expect(redrive(await run(endless), options)).rejects.toThrow('is full');
  });

  test('ends with the error of a task runner that is broken, which no Catch hides', async () => {
    const machine = machineOf({
      Work: work('w', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }] }),
      Done: { Type: 'Succeed' },
    });
    const tasks: TaskRunner = () => Promise.reject(new RangeError('a bug'));
    await expect(run(machine, { tasks })).rejects.toThrow(RangeError);
  });
});
