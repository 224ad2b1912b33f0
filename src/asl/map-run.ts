import type { Json } from '../data/json.ts';
import { failureDetails, StateFailure } from './errors.ts';
import { batches, batchingOf } from './item-batcher.ts';
import type { Batching, ItemBatcher } from './item-batcher.ts';
import { itemSourceOf, readItems, sourceName } from './item-reader.ts';
import type { ItemReader, ItemSource } from './item-reader.ts';
import { Lane } from './lane.ts';
import { distributedConcurrency } from './limits.ts';
import { concurrencyOf, exceeds, itemsOf, mapContext, selected, toleranceOf } from './map-items.ts';
import type { MapItems, MapResult, Tolerance } from './map-items.ts';
import type { MapObjects } from './objects.ts';
import { beginning } from './progress.ts';
import type { ChildExecution, MapRunProgress } from './progress.ts';
import { exportResults, resultOf, resultPlaceOf } from './result-writer.ts';
import type { ResultPlace, ResultWriter } from './result-writer.ts';
import { ExecutionStopped, runToEnd } from './run-to-end.ts';
import { arnParts, openScope } from './scope.ts';

export type DistributedMap = MapItems & {
  label: string;
  reader: ItemReader | undefined;
  batcher: ItemBatcher | undefined;
  writer: ResultWriter | undefined;
};

/** What a Map Run needs to know, evaluated. */
type Plan = {
  run: MapRunProgress;
  concurrency: number;
  /** What the definition or the state's input gives; undefined where the items are read. */
  items: Json[] | undefined;
  source: ItemSource | undefined;
  batching: Batching | undefined;
  tolerance: Tolerance;
  place: ResultPlace | undefined;
};

/** Runs a distributed Map's items as child executions and resolves to what they returned, or to where it was written. */
export async function runMapRun(outer: Lane, map: DistributedMap): Promise<MapResult> {
  const started = await outer.step(() => begin(outer, map));
  const plan = await outer.step(() => open(outer, map, started));
  try {
    plan.run.children ??= await gather(outer, map, plan);
    const { children } = plan.run;
    const failure = await runChildren(outer, map, plan, children);
    const result = await collect(outer, map, plan, children);
    if (failure !== undefined) throw failure;
    const after = await outer.step(() => outer.record('MapRunSucceeded', undefined, 'aside'));
    return { result, after };
  } catch (error) {
    if (error instanceof StateFailure) await outer.step(() => outer.record('MapRunFailed', failureDetails(error)));
    throw error;
  }
}

async function begin(outer: Lane, map: DistributedMap): Promise<Pick<Plan, 'concurrency' | 'items'>> {
  outer.enter('Map');
  const concurrency = await concurrencyOf(outer, map, distributedConcurrency);
  if (outer.progress.inner?.kind === 'mapRun') return { concurrency, items: undefined };
  const items = map.reader === undefined ? await itemsOf(outer, map) : undefined;
  outer.record('MapStateStarted', { length: items?.length ?? 0 });
  return { concurrency, items };
}

async function open(outer: Lane, map: DistributedMap, started: Pick<Plan, 'concurrency' | 'items'>): Promise<Plan> {
  const { progress, scope } = outer;
  const source = map.reader && (await itemSourceOf(outer, map.reader));
  const tolerance = await toleranceOf(outer, map);
  const batching = map.batcher && (await batchingOf(outer, map.batcher));
  const place = map.writer && (await resultPlaceOf(outer, map.writer));
  const rest = { ...started, source, tolerance, batching, place };

  if (progress.inner?.kind === 'mapRun') {
    const run = progress.inner;
    run.redriveCount += 1;
    outer.record('MapRunRedriven', { mapRunArn: run.arn, redriveCount: run.redriveCount });
    return { run, ...rest };
  }
  const { prefix, name } = arnParts(scope.stateMachineArn);
  const arn = `${prefix}:mapRun:${name}/${map.label}:${scope.ids.next()}`;
  const run: MapRunProgress = { kind: 'mapRun', arn, redriveCount: 0 };
  // Items that only this process has seen are kept with the run, so that another can go on with it.
  if (started.items !== undefined) run.items = started.items;
  progress.inner = run;
  outer.record('MapRunStarted', { mapRunArn: arn });
  return { run, ...rest };
}

/** Reads, selects and batches the items: one child execution, not yet run, for each item or batch. */
async function gather(outer: Lane, map: DistributedMap, { run, source, batching }: Plan): Promise<ChildExecution[]> {
  const items = run.items ?? (source === undefined ? [] : await readItems(source, objectsOf(outer)));
  const from = source === undefined ? 'STATE_DATA' : sourceName(source);
  const inputs = await outer.step(async () => {
    const chosen: Json[] = [];
    for (const [index, item] of items.entries()) {
      chosen.push(await selected(map, outer, mapContext(index, item, from), item));
    }
    return chosen;
  });
  const { scope } = outer;
  const { prefix, name } = arnParts(scope.stateMachineArn);
  const parts =
    batching === undefined
      ? inputs.map((input) => ({ input, itemCount: 1 }))
      : batches(inputs, batching, outer.progress.state);
  delete run.items;
  return parts.map(({ input, itemCount }) => {
    const childName = scope.ids.next();
    const arn = `${prefix}:execution:${name}/${map.label}:${childName}`;
    return { name: childName, arn, status: 'PENDING', input, itemCount, redriveCount: 0, events: 0 };
  });
}

/** Runs the children that have not succeeded yet; the failure says that more of them failed than are tolerated. */
async function runChildren(
  outer: Lane,
  map: DistributedMap,
  { concurrency, tolerance }: Plan,
  children: readonly ChildExecution[],
): Promise<StateFailure | undefined> {
  const stop = new AbortController();
  const { signal } = stop;
  const abort = () => stop.abort(new ExecutionStopped('ABORTED'));
  outer.signal.addEventListener('abort', abort, { once: true });
  const total = children.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const pending = [...children.keys()].filter((index) => children[index].status !== 'SUCCEEDED');
  let failedItems = 0;
  let failure: StateFailure | undefined;
  let fault: { error: unknown } | undefined;

  const work = async (): Promise<void> => {
    try {
      for (let index = pending.shift(); index !== undefined && !signal.aborted; index = pending.shift()) {
        const child = children[index];
        await runChild(outer, map, child, signal, { state: outer.progress.state, index, of: children.length });
        if (child.status === 'FAILED') failedItems += child.itemCount;
        if (failure === undefined && exceeds(tolerance, failedItems, total)) {
          failure = new StateFailure(
            'States.ExceedToleratedFailureThreshold',
            'The specified tolerated failure threshold was exceeded',
          );
          abort();
        }
      }
    } catch (error) {
      fault ??= { error };
      abort();
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, pending.length) }, work));
  outer.signal.removeEventListener('abort', abort);
  outer.signal.throwIfAborted();
  if (fault !== undefined) throw fault.error;
  return failure;
}

/** Runs one child execution; its status says how it ended. */
async function runChild(
  outer: Lane,
  map: DistributedMap,
  child: ChildExecution,
  signal: AbortSignal,
  place: { state: string; index: number; of: number },
): Promise<void> {
  const { scope } = outer;
  const resumed = child.progress !== undefined;
  if (resumed) child.redriveCount += 1;
  const nowMs = scope.clock.nowMs();
  const stateMachineArn = `${scope.stateMachineArn}/${map.label}`;
  const identity = {
    name: child.name,
    arn: child.arn,
    stateMachineArn,
    roleArn: scope.roleArn,
    input: child.input,
    startMs: child.startMs ?? nowMs,
    redriveCount: child.redriveCount,
    redriveMs: resumed ? nowMs : undefined,
  };
  Object.assign(child, { status: 'RUNNING', startMs: identity.startMs });
  for (const outcome of ['error', 'cause', 'stopMs'] as const) delete child[outcome];
  child.progress ??= beginning(map.flow.startAt, child.input);
  const lane = new Lane({
    scope: openScope(scope, identity, child.events, () => {
      child.events += 1;
    }),
    progress: child.progress,
    last: child.events,
    signal,
    within: [...outer.within, place],
    outerVariables: {},
  });
  await runToEnd(lane, map.flow, child.redriveCount, (end) => {
    Object.assign(child, end, { stopMs: scope.clock.nowMs() });
    if (end.status === 'SUCCEEDED') delete child.progress;
  });
}

async function collect(
  outer: Lane,
  map: DistributedMap,
  { run, place }: Plan,
  children: readonly ChildExecution[],
): Promise<Json> {
  const stateMachineArn = `${outer.scope.stateMachineArn}/${map.label}`;
  if (map.writer === undefined || place === undefined) return resultOf(children, map.writer, stateMachineArn);
  return exportResults({ arn: run.arn, stateMachineArn, children }, map.writer, place, objectsOf(outer));
}

function objectsOf({ scope, progress }: Lane): MapObjects {
  if (scope.objects !== undefined) return scope.objects;
  throw new Error(`the state '${progress.state}' reads or writes objects in S3: give 'objects' to execute it`);
}
