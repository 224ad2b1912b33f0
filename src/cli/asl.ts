import { SteppedClock } from '../adapters/embedded/stepped-clock.ts';
import { RandomIds } from '../adapters/embedded/random-ids.ts';
import { toAwsHistory } from '../asl/aws-history.ts';
import { cannedTasks } from '../asl/canned-tasks.ts';
import { execute } from '../asl/executor.ts';
import { parseMachine } from '../asl/machine.ts';
import { random } from '../ml/random.ts';
import { type Command, exitCodes } from './command.ts';
import { jsonOf, jsonOfFile } from './run.ts';

export const command: Command = {
  summary:
    'Runs any state machine in JSONata on a laptop, with canned task results, and prints its history as AWS would.',
  usage: 'FILE --input JSON|FILE [--tasks FILE]',
  examples: [
    ['bordereau asl order.asl.json --input \'{"amount": 10}\'', 'a machine without Tasks, or to see what it asks for'],
    [
      'bordereau asl order.asl.json --input in.json --tasks tasks.json',
      'results, errors and waits per state and attempt',
    ],
    ['bordereau asl order.asl.json --input in.json --json', 'the history in the shape of GetExecutionHistory'],
  ],
  options: {
    input: { type: 'string', value: 'JSON|FILE', help: 'the execution’s input', default: '{}' },
    tasks: { type: 'string', value: 'FILE', help: 'state name → list of results; docs/asl-support.md has the format' },
    start: {
      type: 'string',
      value: 'TIME',
      help: 'when it starts; waits and timeouts then take no time at all',
      default: '2026-01-01T00:00:00Z',
    },
    seed: { type: 'string', value: 'N', help: 'of jitter and $random', default: '1' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const machine = parseMachine(await jsonOfFile(call.positionals[0]));
    const tasksFile = call.text('tasks');
    const clock = new SteppedClock(Date.parse(call.text('start')!));
    const canned = cannedTasks(tasksFile === undefined ? {} : await jsonOfFile(tasksFile), machine, clock);
    const { uniform } = random(call.text('seed')!);
    const execution = await execute(machine, await jsonOf(call.text('input')!), {
      name: 'local',
      clock,
      ids: new RandomIds(),
      random: uniform,
      tasks: canned,
    });
    const { status, output, error, cause } = execution;
    call.output.document({
      status,
      output: output ?? null,
      error: error ?? null,
      cause: cause ?? null,
      ...toAwsHistory(execution),
    });
    call.output.table(
      ['id', 'previous', 'time', 'type', 'state'],
      execution.history.map((event) => [
        String(event.id),
        String(event.previousEventId),
        new Date(event.timestamp).toISOString().slice(0, 23),
        event.type,
        stateOf(event),
      ]),
    );
    call.output.print();
    if (status === 'SUCCEEDED') call.output.print(`SUCCEEDED ${JSON.stringify(output)}`);
    else call.output.print(`${status} ${error ?? ''}${cause ? `: ${cause}` : ''}`);
    return status === 'SUCCEEDED' ? exitCodes.ok : exitCodes.crash;
  },
};

function stateOf(event: { [details: string]: unknown }): string {
  const details = (event['stateEnteredEventDetails'] ?? event['stateExitedEventDetails']) as
    { name?: string } | undefined;
  return details?.name ?? '';
}
