import { StateFailure } from '../errors.ts';
import type { Lane } from '../lane.ts';
import type { State, StateFields } from '../state-fields.ts';
import type { Template } from '../template.ts';

/** Fail: ends the execution with an error and a cause, each of which may be left out. */
export function readFail(state: StateFields): State {
  const error = state.text('Error');
  const cause = state.text('Cause');
  return {
    type: 'Fail',
    targets: [],
    ends: true,
    run: (lane) =>
      lane.step(async () => {
        lane.enter('Fail');
        throw new StateFailure(await textOf(lane, error), await textOf(lane, cause));
      }),
  };
}

const textOf = async (lane: Lane, template: Template | undefined): Promise<string | undefined> =>
  template === undefined ? undefined : lane.evaluateTyped(template, 'string');
