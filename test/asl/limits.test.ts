import { describe, expect, test } from 'vitest';
import { InvalidExecutionInput } from '../../src/asl/errors.ts';
import { historyLimitEvents, payloadLimitBytes } from '../../src/asl/limits.ts';
import { invoke, machineOf, run } from './run.ts';

/** A text whose JSON has so many bytes; every third character takes two of them. */
function textOf(bytes: number): string {
  const letters = bytes - 2;
  return 'aé'.repeat(Math.floor(letters / 3)) + 'a'.repeat(letters % 3);
}

const tooLarge = (holder: string) =>
  `The state/task '${holder}' returned a result with a size exceeding the maximum number of bytes service limit.`;

describe('a payload of 262,144 bytes passes, one more does not', () => {
  const passOn = machineOf({ Done: { Type: 'Succeed', Output: '{% 1 %}' } });

  test('23. as the input of an execution', async () => {
    expect((await run(passOn, { input: textOf(payloadLimitBytes) })).status).toBe('SUCCEEDED');
    await expect(run(passOn, { input: textOf(payloadLimitBytes + 1) })).rejects.toThrow(InvalidExecutionInput);
  });

  test('as the result of a task, which no States.ALL catches', async () => {
    const machine = machineOf({
      Work: invoke({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], Output: 'small' }),
      Caught: { Type: 'Succeed' },
    });
    const most = await run(machine, { canned: { Work: [{ return: textOf(payloadLimitBytes) }] } });
    const more = await run(machine, { canned: { Work: [{ return: textOf(payloadLimitBytes + 1) }] } });
    expect(most.output).toBe('small');
    expect(more).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded', cause: tooLarge('Work') });
    expect(more.history.at(-2)).toMatchObject({
      type: 'TaskFailed',
      taskFailedEventDetails: { cause: tooLarge('Work') },
    });
  });

  test('as the result of a Lambda function called by its ARN, which the cause names', async () => {
    const arn = 'arn:aws:lambda:eu-west-1:000000000000:function:f';
    const machine = machineOf({ Work: { Type: 'Task', Resource: arn, End: true } });
    const { cause } = await run(machine, { canned: { Work: [{ return: textOf(payloadLimitBytes + 1) }] } });
    expect(cause).toBe(tooLarge(arn));
  });

  test('as what a state makes of its input', async () => {
    const doubled = machineOf({ Double: { Type: 'Pass', Output: '{% $states.input & $states.input %}', End: true } });
    const half = 'a'.repeat((payloadLimitBytes - 2) / 2);
    expect((await run(doubled, { input: half })).status).toBe('SUCCEEDED');
    expect(await run(doubled, { input: `${half}a` })).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: tooLarge('Double'),
    });
  });

  test('as the arguments of a task and as what is assigned', async () => {
    const given = machineOf({ Work: invoke({ Arguments: { FunctionName: 'f', Payload: '{% $states.input %}' } }) });
    const kept = machineOf({ Keep: { Type: 'Pass', Assign: { a: '{% $states.input & "a" %}' }, End: true } });
    const input = 'a'.repeat(payloadLimitBytes - 2);
    const canned = { Work: [{ return: 1 }] };
    expect((await run(given, { input, canned })).error).toBe('States.DataLimitExceeded');
    expect((await run(kept, { input })).error).toBe('States.DataLimitExceeded');
    expect((await run(kept, { input: input.slice(1) })).status).toBe('SUCCEEDED');
  });
});

describe('a history has 25,000 events and no more', () => {
  // 1 event begins the execution, 4 make a round, and 3 end it: 6,249 rounds fill the history exactly.
  const rounds = (count: number) =>
    machineOf({
      Count: { Type: 'Pass', Assign: { n: '{% $exists($n) ? $n + 1 : 1 %}' }, Next: 'Enough' },
      Enough: {
        Type: 'Choice',
        Choices: [{ Condition: `{% $n >= ${count} %}`, Next: 'Done' }],
        Default: 'Count',
      },
      Done: { Type: 'Succeed' },
    });

  test('the execution may succeed with event 25,000', async () => {
    const { status, history } = await run(rounds(6249));
    expect(status).toBe('SUCCEEDED');
    expect(history).toHaveLength(historyLimitEvents);
    expect(history.at(-1)).toMatchObject({ id: 25_000, previousEventId: 24_999, type: 'ExecutionSucceeded' });
  });

  test('23. event 25,000 is its failure where it would go on', async () => {
    const { status, error, history } = await run(rounds(6250));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
    expect(history).toHaveLength(historyLimitEvents);
    expect(history.at(-1)).toMatchObject({
      id: 25_000,
      previousEventId: 24_999,
      type: 'ExecutionFailed',
      executionFailedEventDetails: { cause: 'The execution reached the maximum number of history events (25000).' },
    });
  });
});
