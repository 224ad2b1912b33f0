import { readGiven, readPassing } from '../dataflow.ts';
import type { State, StateFields } from '../state-fields.ts';

/** Succeed: ends the sequence of states well. */
export function readSucceed(state: StateFields): State {
  const given = state.language === 'JSONPath' ? readGiven(state, ['InputPath']) : undefined;
  const passing = readPassing(state, [], ['OutputPath']);
  // Nothing comes after it that could read a variable.
  if (state.fields.has('Assign')) state.fields.refuse('Assign', `Field 'Assign' is not supported.`);
  return {
    type: 'Succeed',
    targets: [],
    ends: true,
    run: (lane) =>
      lane.step(async () => {
        lane.enter('Succeed');
        const { input } = lane.progress;
        const data = given === undefined ? input : await given(lane, input);
        lane.exit('Succeed', await passing(lane, data, {}), undefined);
      }),
  };
}
