import { type Command } from './command.ts';
import { compactTime, useCaseOption, withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

export const command: Command = {
  summary: 'Scores what is due with the champion, as the daily schedule does, and monitors it.',
  usage: '',
  examples: [['bordereau score', 'what has arrived since the last scoring, by the champion of now']],
  options: { 'use-case': useCaseOption },
  positionals: { min: 0, max: 0 },
  run: (call) =>
    withRuntime(call, async (runtime) => {
      const useCase = call.text('use-case')!;
      // a run of its own, beside that of the day's schedule
      const runId = `score-${compactTime(runtime.ports.clock)}`;
      const ended = [await runtime.start('score', { useCase, runId, cause: 'manual' }), ...(await runtime.deliver())];
      const outcome = followUp(call, ended);
      call.output.document(outcome.document);
      return outcome.exitCode;
    }),
};
