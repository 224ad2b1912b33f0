import { describe, expect, test } from 'vitest';
import type { EventOrigin, HistoryEvent } from '../../src/asl/history.ts';
import type { Json } from '../../src/data/json.ts';
import { invoke, machineOf, run } from './run.ts';

/** A Map whose iterations each have two branches. */
const nested = machineOf({
  Each: {
    Type: 'Map',
    Items: ['a', 'b', 'c'],
    MaxConcurrency: 2,
    ItemProcessor: {
      StartAt: 'Both',
      States: {
        Both: {
          Type: 'Parallel',
          Branches: [
            { StartAt: 'Work', States: { Work: invoke() } },
            { StartAt: 'Rest', States: { Rest: { Type: 'Wait', Seconds: 1, End: true } } },
          ],
          End: true,
        },
      },
    },
    End: true,
  },
});
const canned: Json = { Work: [{ waitSeconds: 2, return: 1 }, { waitSeconds: 1, return: 2 }, { return: 3 }] };

describe('an event', () => {
  test('comes with its state and with what surrounds it, outermost first', async () => {
    const told: [HistoryEvent, EventOrigin][] = [];
    const { history } = await run(nested, {
      canned,
      name: 'mine',
      onEvent: (event, origin) => told.push([event, origin]),
    });
    expect(told.map(([event]) => event)).toEqual(history);

    const places = (type: string) =>
      told
        .filter(([event]) => event.type === type)
        .map(([, { state, within }]) =>
          [...within.map(({ state, index, of }) => `${state} ${index + 1}/${of}`), state].join(', '),
        );
    expect(places('TaskStateEntered')).toEqual([
      'Each 1/3, Both 1/2, Work',
      'Each 2/3, Both 1/2, Work',
      'Each 3/3, Both 1/2, Work',
    ]);
    expect(places('ParallelStateExited')).toEqual(['Each 2/3, Both', 'Each 3/3, Both', 'Each 1/3, Both']);
    expect(places('MapIterationSucceeded')).toEqual(['Each', 'Each', 'Each']);
    expect(places('ExecutionSucceeded')).toEqual(['']);
    expect(new Set(told.map(([, { executionName }]) => executionName))).toEqual(new Set(['mine']));
  });

  test('is the same every time where the tasks behave the same, whatever runs at once', async () => {
    const first = await run(nested, { canned });
    const second = await run(nested, { canned });
    expect(second.history).toEqual(first.history);
  });

  test('follows an event that was recorded before it', async () => {
    const { history } = await run(nested, { canned });
    for (const { id, previousEventId } of history) expect(previousEventId).toBeLessThan(id);
    expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
  });
});
