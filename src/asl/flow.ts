import type { Json } from '../data/json.ts';
import type { Lane } from './lane.ts';
import type { Flow } from './state-fields.ts';

/** Runs a lane's states from where it stands to its end, and resolves to its output. */
export async function runFlow(lane: Lane, flow: Flow): Promise<Json> {
  while (lane.progress.output === undefined) {
    const { state } = lane.progress;
    const found = flow.states.get(state);
    if (found === undefined) throw new Error(`the definition has no state '${state}' for this execution to go on with`);
    await found.run(lane);
  }
  return lane.progress.output.value;
}
