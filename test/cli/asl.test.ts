import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, scratch } from './run-cli.ts';

const file = (name: string) => fileURLToPath(new URL(`../machines/${name}`, import.meta.url));

describe('asl runs a machine file', () => {
  test.each([
    ['lambda-by-arn', 1],
    ['parallel-branch-caught', 0],
    ['jsonpath-pass', 0],
    ['choice-without-match', 1],
  ])('%s with canned tasks and prints its history as GetExecutionHistory does', async (name, expectedCode) => {
    const argv = [
      file(`${name}.asl.json`),
      '--input',
      file(`${name}.input.json`),
      '--tasks',
      file(`${name}.tasks.json`),
    ];
    const { code, out, err } = await runCli('asl', ...argv, '--json');
    expect([code, err]).toEqual([expectedCode, '']);
    const document = JSON.parse(out) as { events: object[]; status: string };
    const { events } = JSON.parse(readFileSync(file(`${name}.history.json`), 'utf8')) as { events: object[] };
    expect(document.events).toEqual(events);
    expect(Object.keys(document)).toEqual(['status', 'output', 'error', 'cause', 'events']);
    expect(document.status).toBe(expectedCode === 0 ? 'SUCCEEDED' : 'FAILED');
  });

  const double = JSON.stringify({
    QueryLanguage: 'JSONata',
    StartAt: 'Double',
    States: { Double: { Type: 'Pass', Output: { twice: '{% $states.input.n * 2 %}' }, End: true } },
  });

  test('without Tasks it needs no tasks; the input may stand on the command line', async () => {
    const { code, out } = await runCli('asl', scratch()('double.asl.json', double), '--input', '{"n": 21}');
    expect(code).toBe(0);
    expect(out).toMatch(/\nSUCCEEDED \{"twice":42\}\n$/);
    expect(
      out
        .split('\n')
        .slice(2, 6)
        .map((line) => line.trim().split(/ {2,}/).at(3)),
    ).toEqual(['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded']);
  });

  test('a file is a file, whatever its name begins with', async () => {
    const path = scratch();
    const { code, out } = await runCli(
      'asl',
      path('01-double.asl.json', double),
      '--input',
      path('2.json', '{"n": 1}'),
    );
    expect([code, out]).toEqual([0, expect.stringContaining('SUCCEEDED {"twice":2}')]);
  });

  test('waits take no time at all', async () => {
    const waiting = {
      StartAt: 'A',
      States: { A: { Type: 'Wait', Seconds: 86_400, End: true } },
      QueryLanguage: 'JSONata',
    };
    const { out } = await runCli('asl', scratch()('wait.asl.json', JSON.stringify(waiting)), '--json');
    const { events } = JSON.parse(out) as { events: { timestamp: string }[] };
    expect(events.at(-1)!.timestamp).toBe('2026-01-02T00:00:00.000Z');
  });

  test.each<[string, string, string[], string]>([
    ['a field that it does not know', double.replace('"Type"', '"Typo":1,"Type"'), [], "Field 'Typo' is not supported"],
    ['a file that is no JSON', '{"StartAt":', [], 'machine.asl.json is not JSON'],
    [
      'a Task without an answer',
      JSON.stringify({
        QueryLanguage: 'JSONata',
        StartAt: 'Call',
        States: {
          Call: {
            Type: 'Task',
            Resource: 'arn:aws:states:::lambda:invoke',
            Arguments: { FunctionName: 'f' },
            End: true,
          },
        },
      }),
      [],
      "no entry for the Task 'Call'",
    ],
    ['tasks for a state that is none', double, ['{"Other": [{"return": 1}]}'], "the machine has no Task 'Other'"],
  ])('%s is refused by name', async (_title, machine, [tasks], said) => {
    const path = scratch();
    const given = tasks === undefined ? [] : ['--tasks', path('tasks.json', tasks)];
    const { code, out, err } = await runCli('asl', path('machine.asl.json', machine), ...given);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  });
});
