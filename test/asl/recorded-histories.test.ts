import { describe, expect, test } from 'vitest';
import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';
import { toAwsHistory } from '../../src/asl/aws-history.ts';
import { cannedTasks } from '../../src/asl/canned-tasks.ts';
import { execute } from '../../src/asl/executor.ts';
import { parseMachine } from '../../src/asl/machine.ts';
import type { Json } from '../../src/data/json.ts';
import { differences, recordings } from './recorded.ts';
import type { Recording } from './recorded.ts';

const recorded = recordings();
if (recorded.length === 0)
  console.warn('no recorded histories: ../shared/data/asl_histories is absent, nothing compared');

/** The recording's task results as canned tasks. */
function canned({ tasks }: Recording): Json {
  const entry = ({ output = null, error, cause = '' }: Recording['tasks'][string][number]): Json =>
    error === undefined ? { return: output } : { throw: { error, cause } };
  return Object.fromEntries(Object.entries(tasks).map(([state, results]) => [state, results.map(entry)]));
}

describe.skipIf(recorded.length === 0)('AWS recorded the same history (needs ../shared/data/asl_histories)', () => {
  test.each(recorded)('%s', async (_name, recording) => {
    const clock = new SteppedClock(Date.UTC(2026, 0, 1));
    const machine = parseMachine(recording.definition);
    let ids = 0;
    const execution = await execute(machine, recording.input, {
      clock,
      ids: { next: () => `id-${(ids += 1)}` },
      random: () => 0.5,
      tasks: cannedTasks(canned(recording), machine, clock),
    });
    const { events } = toAwsHistory(execution);
    expect(differences(events, recording.events)).toEqual([]);
  });
});
