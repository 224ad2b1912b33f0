import type { Lane } from './lane.ts';
import { secondsLimit } from './limits.ts';
import { EvaluationFailure } from './template.ts';
import type { Template } from './template.ts';

/** The value of a field that counts something, in AWS's words where it is none; `most` is the largest allowed. */
export async function integerOf(lane: Lane, template: Template, field: string, most = secondsLimit): Promise<number> {
  const value = await lane.evaluateTyped(template, 'number');
  return lane.guard(() => {
    if (!Number.isInteger(value)) {
      throw new EvaluationFailure(`The ${field} field cannot be parsed as an integer: ${value}`, field);
    }
    if (value < 0 || value > most) {
      throw new EvaluationFailure(`${field} must be between 0 and ${most} but was: ${value}`, field);
    }
    return value;
  });
}
