import type { Json } from '../data/json.ts';
import { type MachineName, machineNames } from '../stages.ts';
import { nearest } from '../data/nearest.ts';
import { type Command, UsageError } from './command.ts';
import { readGiven } from './files.ts';
import { withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

export const command: Command = {
  summary: 'Runs one of the six state machines with an input of your own, and what it starts.',
  usage: 'MACHINE --input JSON|FILE',
  examples: [
    [`bordereau run train --input '{"useCase":"insurance-cost","runId":"mine","cause":"manual"}'`, 'one training run'],
    ['bordereau run ingest --input event.json', 'a replay: `detail` of an S3 event'],
  ],
  options: {
    input: { type: 'string', value: 'JSON|FILE', help: 'the execution’s input' },
    'only-this': { type: 'boolean', default: false, help: 'leave the events that it announces waiting' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [name] = call.positionals;
    if (!machineNames.includes(name as MachineName)) {
      const guess = nearest(name, machineNames);
      throw new UsageError(
        `There is no machine "${name}".${guess ? ` Did you mean "${guess}"?` : ''} There are: ${machineNames.join(', ')}.`,
      );
    }
    const given = call.text('input');
    if (given === undefined) throw new UsageError(`"run ${name}" needs --input.`, `bordereau run --help`);
    const input = await jsonOf(given);
    return withRuntime(call, async (runtime) => {
      const first = await runtime.start(name as MachineName, input);
      const ended = [first, ...(call.flag('only-this') ? [] : await runtime.deliver())];
      call.output.print(`${first.machine} ${first.status.toLowerCase()}`);
      const outcome = followUp(call, ended);
      call.output.document({ output: first.output ?? null, ...outcome.document });
      return outcome.exitCode;
    });
  },
};

/** JSON from the command line, or from the file of that name. */
export async function jsonOf(text: string): Promise<Json> {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    // what begins like a document was meant as one, and no file has such a name
    if (/^\s*[[{"]/.test(text)) throw new UsageError(`The input is not JSON: ${(error as Error).message}.`);
    return jsonOfFile(text);
  }
}

export async function jsonOfFile(file: string): Promise<Json> {
  const bytes = await readGiven(file);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}.`);
  }
}
