import { readGiven, readPassing } from '../dataflow.ts';
import { targetsOf } from '../state-fields.ts';
import type { State, StateFields } from '../state-fields.ts';

/** Pass: hands its input on, shaped, and assigns variables. */
export function readPass(state: StateFields): State {
  const given = state.language === 'JSONPath' ? readGiven(state, ['InputPath', 'Parameters']) : undefined;
  const result = state.language === 'JSONPath' ? state.fields.take('Result') : undefined;
  const passing = readPassing(state, [], ['ResultPath', 'OutputPath']);
  const { next } = state.next();
  return {
    type: 'Pass',
    targets: targetsOf(state.fields, next),
    ends: next === undefined,
    run: (lane) =>
      lane.step(async () => {
        lane.enter('Pass');
        const { input } = lane.progress;
        const data = given === undefined ? input : await given(lane, input);
        lane.exit('Pass', await passing(lane, result === undefined ? data : result, {}), next);
      }),
  };
}
