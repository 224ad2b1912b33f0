import type { Json } from '../../data/json.ts';
import { attempting, readAttempts } from '../attempts.ts';
import { readGiven, readPassing } from '../dataflow.ts';
import type { Given } from '../dataflow.ts';
import type { Lane } from '../lane.ts';
import { beginning } from '../progress.ts';
import type { Progress } from '../progress.ts';
import { Siblings } from '../siblings.ts';
import { targetsOf } from '../state-fields.ts';
import type { Flow, State, StateFields } from '../state-fields.ts';

/** Parallel: runs its branches together on the same input; its result is the array of their outputs. */
export function readParallel(state: StateFields): State {
  const { fields } = state;
  const branches = (fields.objects('Branches') ?? []).map((branch) => {
    branch.take('Comment');
    const flow = state.flow.readFlow(branch, state.flow);
    branch.end();
    return flow;
  });
  if (branches.length === 0) fields.refuse('Branches', 'Expected an array of at least one branch.');
  const given = readGiven(state, ['InputPath', 'Parameters']);
  const passing = readPassing(state, ['result'], ['ResultSelector', 'ResultPath', 'OutputPath']);
  const attempts = readAttempts(state);
  const { next } = state.next();
  const work = async (lane: Lane) => {
    const result = await runBranches(lane, branches, given);
    await lane.step(async () => {
      const announcement = { type: 'ParallelStateSucceeded', after: lane.last };
      lane.exit('Parallel', await passing(lane, result, { result }), next, announcement);
    });
  };
  return {
    type: 'Parallel',
    targets: [...targetsOf(fields, next), ...attempts.targets],
    ends: next === undefined,
    run: (lane) =>
      attempting(
        lane,
        'Parallel',
        attempts,
        () => work(lane),
        () => lane.record('ParallelStateFailed'),
      ),
  };
}

async function runBranches(outer: Lane, flows: readonly Flow[], given: Given): Promise<Json> {
  const branches = await outer.step(() => begin(outer, flows, given));
  const siblings = new Siblings(outer);
  const { state } = outer.progress;
  const lanes = branches.map((progress, index) => {
    const place = { state, index, of: branches.length };
    const lane = outer.inner({ progress, last: outer.last, signal: siblings.signal, place });
    siblings.add(index, lane, flows[index]);
    return lane;
  });
  const outputs: Json[] = [];
  await siblings.run(
    flows.map((_, index) => async () => {
      outputs[index] = await siblings.runLane(index);
    }),
  );
  outer.last = Math.max(...lanes.map(({ last }) => last));
  return outputs;
}

async function begin(outer: Lane, flows: readonly Flow[], given: Given): Promise<Progress[]> {
  outer.enter('Parallel');
  const { progress } = outer;
  if (progress.inner?.kind === 'branches') return progress.inner.branches;
  const input = await given(outer, progress.input);
  outer.limit(JSON.stringify(input), progress.state);
  const branches = flows.map(({ startAt }) => beginning(startAt, input));
  progress.inner = { kind: 'branches', branches };
  outer.record('ParallelStateStarted');
  return branches;
}
