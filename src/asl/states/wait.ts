import type { Json } from '../../data/json.ts';
import { readGiven, readPassing } from '../dataflow.ts';
import type { Lane } from '../lane.ts';
import { integerOf } from '../integers.ts';
import { targetsOf } from '../state-fields.ts';
import type { State, StateFields } from '../state-fields.ts';
import { EvaluationFailure } from '../template.ts';
import type { Template } from '../template.ts';

/** Wait: for a number of seconds, or until a time. */
export function readWait(state: StateFields): State {
  const { fields } = state;
  const seconds = state.integer('Seconds', 0);
  const timestamp = state.typed('Timestamp', 'an RFC 3339 timestamp', isTimestamp);
  if (fields.has('Seconds') === fields.has('Timestamp')) {
    const others = ['SecondsPath', 'TimestampPath'].some((name) => fields.has(name));
    if (!others) fields.refuseAll(`Expected either 'Seconds' or 'Timestamp'.`);
  }
  const given = state.language === 'JSONPath' ? readGiven(state, ['InputPath']) : undefined;
  const passing = readPassing(state, [], ['OutputPath']);
  const { next } = state.next();
  return {
    type: 'Wait',
    targets: targetsOf(fields, next),
    ends: next === undefined,
    async run(lane) {
      await lane.step(() => lane.enter('Wait'));
      const milliseconds = await lane.step(() => millisecondsToWait(lane, seconds, timestamp));
      if (milliseconds > 0) await lane.scope.clock.sleep(milliseconds, lane.signal);
      await lane.step(async () => {
        const { input } = lane.progress;
        const data = given === undefined ? input : await given(lane, input);
        lane.exit('Wait', await passing(lane, data, {}), next);
      });
    },
  };
}

async function millisecondsToWait(lane: Lane, seconds?: Template, timestamp?: Template): Promise<number> {
  if (seconds !== undefined) return (await integerOf(lane, seconds, 'Seconds')) * 1000;
  if (timestamp === undefined) return 0;
  const text = await lane.evaluateTyped(timestamp, 'string');
  return lane.guard(() => {
    if (isTimestamp(text)) return Date.parse(text) - lane.scope.clock.nowMs();
    const reason = `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${text}`;
    throw new EvaluationFailure(reason, 'Timestamp');
  });
}

// RFC 3339 as Step Functions takes it: capital T and Z, or an offset; seconds may have a fraction.
const timestampPattern =
  /^(\d{4})-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-8]):[0-5]\d)$/u;

function isTimestamp(value: Json): boolean {
  const [, year, month, day] = (typeof value === 'string' && timestampPattern.exec(value)) || [];
  // The 30th of February would become the 2nd of March.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}
