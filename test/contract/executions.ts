import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Executions, RecordedEvent } from '../../src/ports/executions.ts';

/** Opens an engine that has recorded these events of one execution, `arn`; `close` ends it. */
export type OpenExecutions = (
  arn: string,
  events: readonly RecordedEvent[],
) => Promise<{ executions: Executions; close: () => Promise<void> }>;

const arn = 'arn:aws:states:eu-west-1:111111111111:execution:train:run-1';

/** A thousand and more events, as a training run of many states has: more than one page of AWS's answer. */
const events: RecordedEvent[] = Array.from({ length: 1203 }, (_, i) => ({
  id: i + 1,
  previousEventId: i,
  type: i === 0 ? 'ExecutionStarted' : i % 2 === 1 ? 'TaskStateEntered' : 'TaskStateExited',
  timestamp: 1_767_600_000_000 + i * 250,
  ...(i % 2 === 1 && { stateEnteredEventDetails: { name: `State${i}` } }),
}));

/** What every reader of histories promises. Call it once per adapter. */
export function executionsContract(name: string, open: OpenExecutions): void {
  describe(`${name} keeps the executions' contract`, () => {
    let executions: Executions;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ executions, close } = await open(arn, events));
    });
    afterEach(() => close());

    test('a history comes whole and in order, with times in milliseconds', async () => {
      const history = (await executions.history(arn))!;
      expect(history.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      expect(history[0].timestamp).toBe(events[0].timestamp);
      expect(history.at(-1)!.timestamp).toBe(events.at(-1)!.timestamp);
    });

    test('the names of states are in it', async () => {
      const history = (await executions.history(arn))!;
      expect(history[1]['stateEnteredEventDetails']).toEqual({ name: 'State1' });
    });

    test('an execution that the engine does not know has no history', async () => {
      expect(await executions.history(`${arn}0`)).toBeUndefined();
    });
  });
}
