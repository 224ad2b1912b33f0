import type { Json } from '../../data/json.ts';
import { attempting, readAttempts } from '../attempts.ts';
import { readPassing } from '../dataflow.ts';
import type { Fields } from '../fields.ts';
import { readItemBatcher } from '../item-batcher.ts';
import { readItemReader } from '../item-reader.ts';
import type { Lane } from '../lane.ts';
import { runIterations } from '../map-inline.ts';
import { runMapRun } from '../map-run.ts';
import type { DistributedMap } from '../map-run.ts';
import type { MapItems } from '../map-items.ts';
import { readResultWriter } from '../result-writer.ts';
import { targetsOf } from '../state-fields.ts';
import type { Flow, State, StateFields } from '../state-fields.ts';

/** Map: runs its processor once for every item, in this execution or in child executions of a Map Run. */
export function readMap(state: StateFields): State {
  const { fields } = state;
  const processor = readProcessor(state);
  const items: MapItems = {
    items: state.typed('Items', 'an array or an expression', Array.isArray),
    selector: state.payload('ItemSelector'),
    maxConcurrency: state.integer('MaxConcurrency', 0),
    toleratedCount: state.integer('ToleratedFailureCount', 0),
    toleratedPercentage: state.typed('ToleratedFailurePercentage', 'a number between 0 and 100', isPercentage),
    flow: processor.flow,
  };
  const distributed = processor.mode === 'DISTRIBUTED' ? readDistributed(state, items) : undefined;
  if (distributed === undefined) refuseDistributedFields(fields);
  const passing = readPassing(state, ['result'], []);
  const attempts = readAttempts(state);
  const { next } = state.next();

  const work = async (lane: Lane) => {
    const { result, after } = await (distributed === undefined
      ? runIterations(lane, items)
      : runMapRun(lane, distributed));
    await lane.step(async () => {
      const announcement = { type: 'MapStateSucceeded', after };
      lane.exit('Map', await passing(lane, result, { result }), next, announcement);
    });
  };
  return {
    type: 'Map',
    targets: [...targetsOf(fields, next), ...attempts.targets],
    ends: next === undefined,
    run: (lane) =>
      attempting(
        lane,
        'Map',
        attempts,
        () => work(lane),
        () => lane.record('MapStateFailed'),
      ),
  };
}

const isPercentage = (value: Json): boolean => typeof value === 'number' && value >= 0 && value <= 100;

function readProcessor({ fields, flow }: StateFields): { mode: 'INLINE' | 'DISTRIBUTED'; flow: Flow } {
  const processor = fields.requiredObject('ItemProcessor');
  if (processor === undefined) return { mode: 'INLINE', flow: { startAt: '', states: new Map() } };

  processor.take('Comment');
  const config = processor.object('ProcessorConfig');
  const mode = config?.choice('Mode', ['INLINE', 'DISTRIBUTED']) ?? 'INLINE';
  if (config !== undefined && mode === 'DISTRIBUTED') {
    config.required('ExecutionType');
    config.choice('ExecutionType', ['STANDARD']);
  }
  config?.end();
  // A child execution is an execution of its own: it does not see the variables around it.
  const inner = flow.readFlow(processor, mode === 'DISTRIBUTED' ? undefined : flow);
  processor.end();
  return { mode, flow: inner };
}

function readDistributed(state: StateFields, items: MapItems): DistributedMap {
  const { fields } = state;
  const label = fields.text('Label');
  if (label !== undefined && label !== labelOf(label)) {
    fields.refuse(
      'Label',
      'A Label has at most 40 characters, and neither white space nor wildcards, brackets or :;,|^~$#%&',
    );
  }
  const reader = readItemReader(state);
  if (reader !== undefined && items.items !== undefined) {
    fields.refuse('ItemReader', `Expected either 'Items' or 'ItemReader'.`);
  }
  return {
    ...items,
    label: label ?? labelOf(state.name),
    reader,
    batcher: readItemBatcher(state),
    writer: readResultWriter(state),
  };
}

/** A name as a label may be: AWS makes one up where there is none. */
const labelOf = (name: string): string => name.replace(/[\s?*<>{}[\]:;,\\|^~$#%&`"\p{Cc}]/gu, '-').slice(0, 40);

function refuseDistributedFields(fields: Fields): void {
  for (const name of ['Label', 'ItemReader', 'ItemBatcher', 'ResultWriter']) {
    if (fields.take(name) !== undefined) {
      fields.refuse(name, `Field '${name}' is only supported where ProcessorConfig has the Mode 'DISTRIBUTED'.`);
    }
  }
}
