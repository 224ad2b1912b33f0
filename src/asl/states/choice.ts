import { readPassing } from '../dataflow.ts';
import { StateProblem } from '../lane.ts';
import { targetsOf } from '../state-fields.ts';
import type { State, StateFields } from '../state-fields.ts';

/** Choice: goes on with the first rule whose condition is true, and passes on what that rule says. */
export function readChoice(state: StateFields): State {
  const { fields } = state;
  const rules = (fields.objects('Choices') ?? []).map((ruleFields, index) =>
    readRule(state.part(ruleFields, `Choices[${index}]/`)),
  );
  if (rules.length === 0) fields.refuse('Choices', 'Expected an array of at least one rule.');
  const fallback = fields.text('Default');
  const passing = readPassing(state, [], []);
  return {
    type: 'Choice',
    targets: [
      ...rules.flatMap(({ targets }) => targets),
      ...(fallback === undefined ? [] : [{ name: fallback, pointer: fields.at('Default') }]),
    ],
    ends: false,
    run: (lane) =>
      lane.step(async () => {
        lane.enter('Choice');
        const { input } = lane.progress;
        for (const rule of rules) {
          const holds = rule.condition !== undefined && (await lane.evaluateTyped(rule.condition, 'boolean'));
          if (holds) return lane.exit('Choice', await rule.passing(lane, input, {}), rule.next);
        }
        if (fallback !== undefined) return lane.exit('Choice', await passing(lane, input, {}), fallback);
        return lane.guard(() => {
          const reason = 'Failed to transition out of the state. The state does not point to a next state.';
          throw new StateProblem('States.NoChoiceMatched', reason);
        });
      }),
  };
}

function readRule(rule: StateFields) {
  const { fields } = rule;
  fields.take('Comment');
  fields.required('Condition');
  const condition = rule.typed('Condition', 'a boolean or an expression', (value) => typeof value === 'boolean');
  const next = fields.requiredText('Next');
  const passing = readPassing(rule, [], []);
  rule.end();
  return { condition, next, passing, targets: targetsOf(fields, next) };
}
