import { StateFailure } from './errors.ts';
import type { Lane } from './lane.ts';
import { inlineConcurrency } from './limits.ts';
import { concurrencyOf, itemsOf, mapContext, selected, toleranceOf } from './map-items.ts';
import type { MapItems, MapResult } from './map-items.ts';
import { beginning } from './progress.ts';
import type { IterationsProgress } from './progress.ts';
import { Siblings } from './siblings.ts';

/** Runs an inline Map's iterations inside the execution and resolves to their outputs, in the order of the items. */
export async function runIterations(outer: Lane, map: MapItems): Promise<MapResult> {
  const { inner, concurrency } = await outer.step(() => begin(outer, map));
  const { items, iterations } = inner;
  const name = outer.progress.state;
  const pending = [...items.keys()].filter((index) => iterations[index]?.output === undefined);
  const lanes: Lane[] = [];
  let lastSucceeded = outer.last;
  const siblings = new Siblings(outer, (index, failed) => {
    outer.record(`MapIteration${failed ? 'Failed' : 'Aborted'}`, { index, name }, 'aside');
  });

  const start = async (index: number): Promise<void> => {
    const context = mapContext(index, items[index]);
    iterations[index] ??= beginning(map.flow.startAt, await selected(map, outer, context, items[index]));
    lanes[index] = outer.inner({
      progress: iterations[index],
      last: outer.record('MapIterationStarted', { index, name }, 'aside'),
      signal: siblings.signal,
      map: context,
      place: { state: name, index, of: items.length },
    });
    siblings.add(index, lanes[index], map.flow);
  };

  /** Starts the next iteration that is pending; its index, or undefined where there is none. */
  const startNext = async (): Promise<number | undefined> => {
    const index = pending.shift();
    try {
      if (index !== undefined) await start(index);
      return index;
    } catch (error) {
      if (error instanceof StateFailure) siblings.cutOff(error);
      throw error;
    }
  };

  /** Runs one iteration, and after it, from where it ended, one more as long as any is pending. */
  const runFrom = async (first: number): Promise<void> => {
    for (let index: number | undefined = first; index !== undefined;) {
      const current: number = index;
      await siblings.runLane(current);
      index = await lanes[current].step(() => {
        outer.follow(lanes[current].last);
        lastSucceeded = outer.record('MapIterationSucceeded', { index: current, name }, 'aside');
        return startNext();
      });
    }
  };

  const started: number[] = [];
  await outer.step(async () => {
    await toleranceOf(outer, map);
    for (let count = 0; count < concurrency; count += 1) {
      const index = await startNext();
      if (index !== undefined) started.push(index);
    }
  });
  await siblings.run(started.map((index) => () => runFrom(index)));
  outer.last = lastSucceeded;
  return { result: iterations.map((iteration) => iteration?.output?.value ?? null), after: outer.last };
}

async function begin(outer: Lane, map: MapItems): Promise<{ inner: IterationsProgress; concurrency: number }> {
  outer.enter('Map');
  const { progress } = outer;
  const concurrency = await concurrencyOf(outer, map, inlineConcurrency);
  if (progress.inner?.kind === 'iterations') return { inner: progress.inner, concurrency };

  const items = await itemsOf(outer, map);
  const inner: IterationsProgress = { kind: 'iterations', items, iterations: items.map(() => null) };
  progress.inner = inner;
  outer.record('MapStateStarted', { length: items.length });
  return { inner, concurrency };
}
