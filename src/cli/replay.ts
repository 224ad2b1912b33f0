import { type Command, exitCodes } from './command.ts';
import { withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

export const command: Command = {
  summary: 'Delivers again the events that were put aside because they could not be delivered.',
  usage: '[--list]',
  examples: [
    ['bordereau replay --list', 'the dead letters, with what each failed on'],
    ['bordereau replay', 'lets them all happen again; what they did before is not done twice'],
  ],
  options: {
    list: { type: 'boolean', default: false, help: 'show them, deliver nothing' },
  },
  positionals: { min: 0, max: 0 },
  async run(call) {
    return withRuntime(call, async (runtime) => {
      const letters = await runtime.queue.deadLetters();
      const listed = letters.map(({ key, envelope, tries, reason }) => ({
        event: envelope['detail-type'],
        letter: key,
        tries,
        reason,
      }));
      if (call.flag('list') || letters.length === 0) {
        if (letters.length === 0) call.output.print('There are no dead letters.');
        else {
          call.output.table(
            ['event', 'tries', 'reason', 'letter'],
            listed.map(({ event, tries, reason, letter }) => [event, String(tries), reason, letter]),
          );
        }
        call.output.document({ deadLetters: listed });
        return exitCodes.ok;
      }
      for (const letter of letters) await runtime.queue.replay(letter);
      call.output.print(`${letters.length === 1 ? 'One event is' : `${letters.length} events are`} delivered again.`);
      const outcome = followUp(call, await runtime.deliver());
      call.output.document({ deadLetters: listed, ...outcome.document });
      return outcome.exitCode;
    });
  },
};
