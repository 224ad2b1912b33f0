import { type Command } from './command.ts';
import { compactTime, useCaseOption, withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

export const command: Command = {
  summary: 'Requests a retraining: a challenger is trained, judged against the champion, and promoted or refused.',
  usage: '',
  examples: [['bordereau retrain', 'exit code 4 where the challenger is refused']],
  options: { 'use-case': useCaseOption },
  positionals: { min: 0, max: 0 },
  run: (call) =>
    withRuntime(call, async (runtime) => {
      const useCase = call.text('use-case')!;
      const runId = `retrain-${compactTime(runtime.ports.clock)}`;
      await runtime.queue.publish([{ detailType: 'RetrainRequested', detail: { useCase, runId, cause: 'manual' } }]);
      const outcome = followUp(call, await runtime.deliver());
      call.output.document(outcome.document);
      return outcome.exitCode;
    }),
};
