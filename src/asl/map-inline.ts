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
  const siblings = new Siblings(outer, (index, failed) => {
    outer.record(`MapIteration${failed ? 'Failed' : 'Aborted'}`, { index, name }, 'aside');
  });

  const start = async (index: number): Promise<void> => {
    const context = mapContext(index, items[index]);
    iterations[index] ??= beginning(map.flow.startAt, await selected(map, outer, context, items[index]));
    const last = outer.record('MapIterationStarted', { index, name }, 'aside');
    const place = { state: name, index, of: items.length };
    const lane = outer.inner({ progress: iterations[index], last, signal: siblings.signal, map: context, place });
    siblings.add(index, lane, map.flow);
    lanes[index] = lane;
  };
  const startOrCutOff = async (index: number): Promise<void> => {
    try {
      await start(index);
    } catch (error) {
      if (error instanceof StateFailure) siblings.cutOff(error);
      throw error;
    }
  };

  const lanes: Lane[] = [];
  let lastSucceeded = outer.last;
  const pending = [...items.keys()].filter((index) => iterations[index]?.output === undefined);
  const first = pending.splice(0, concurrency);
  await outer.step(async () => {
    await toleranceOf(outer, map);
    for (const index of first) await startOrCutOff(index);
  });
  const chains = first.map((index) => async () => {
    for (let current: number | undefined = index; current !== undefined;) {
      await siblings.runLane(current);
      const lane: Lane = lanes[current];
      current = await lane.step(async () => {
        outer.follow(lane.last);
        lastSucceeded = outer.record('MapIterationSucceeded', { index: current as number, name }, 'aside');
        const next = pending.shift();
        if (next !== undefined) await startOrCutOff(next);
        return next;
      });
    }
  });
  await siblings.run(chains);
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
