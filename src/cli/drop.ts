import { basename } from 'node:path';
import { contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { readGiven } from './files.ts';
import { useCaseOption, withRuntime } from './open.ts';
import { factsOf } from '../stages/common/facts.ts';
import { readReceipt } from '../stages/common/receipt.ts';
import { followUp } from './outcome.ts';

const broughtNothing: ReadonlySet<string> = new Set(['waiting', 'repeated', 'renewed', 'superseded']);

export const command: Command = {
  summary: 'Drops a file into bronze, and runs everything that this starts.',
  usage: 'FILE --source NAME',
  examples: [
    [
      'bordereau drop policies.csv --source policies',
      'ingests it; the first file of a use case also trains, governs and scores',
    ],
    ['bordereau drop policies.csv --source policies --no-run', 'only puts it there; the next command delivers it'],
  ],
  options: {
    source: { type: 'string', value: 'NAME', help: 'which source of the use case the file is' },
    'use-case': useCaseOption,
    'no-run': { type: 'boolean', default: false, help: 'leave the event waiting' },
    'dry-run': { type: 'boolean', default: false, help: 'say where it would go, put nothing' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [file] = call.positionals;
    const useCase = call.text('use-case')!;
    const source = call.text('source');
    return withRuntime(call, async (runtime) => {
      const definition = useCaseOf(runtime.ports.catalogue, useCase);
      if (source === undefined) {
        const known = Object.keys(definition.declaration.sources);
        throw new UsageError(
          `Which source is ${file}? ${useCase} has: ${known.join(', ')}.`,
          `bordereau drop ${file} --source ${known[0]}`,
        );
      }
      contractOf(definition, source);
      const bytes = await readGiven(file);
      const target = { useCase, source, fileName: basename(file), bytes };
      if (call.flag('dry-run')) {
        call.output.print(`Would put ${bytes.length} bytes at drops/${useCase}/${source}/${target.fileName}.`);
        return exitCodes.ok;
      }
      const { key, runId } = await runtime.drop(target);
      if (call.flag('no-run')) {
        call.output.print(`${key} waits.`);
        call.output.document({ key, runId, delivered: false });
        return exitCodes.ok;
      }
      const ended = await runtime.deliver();
      const quality = (await factsOf(runtime.ports, { useCase, runId }, 'Validate'))?.quality;
      if (quality) {
        call.output.print(
          `${quality.droppedRows} rows: ${quality.acceptedRows} accepted, ${quality.quarantinedRows} quarantined, ${quality.rejectedRows} rejected.`,
        );
      }
      const receipt = await readReceipt(runtime.ports, { useCase, runId });
      // of a file that is refused, what ended says why
      if (receipt && broughtNothing.has(receipt.status)) call.output.print(receipt.reason);
      const outcome = followUp(call, ended);
      call.output.document({ key, runId, quality: (quality ?? null) as never, ...outcome.document });
      return outcome.exitCode;
    });
  },
};
