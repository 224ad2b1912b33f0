import type { Json } from '../data/json.ts';
import type { Execution } from './execution.ts';
import { present } from './present.ts';
import { instant } from './scope.ts';

/** An execution's history in the shape of the answer of AWS's GetExecutionHistory; timestamps are ISO 8601. */
export function toAwsHistory({ history }: Pick<Execution, 'history'>): { events: { [key: string]: Json }[] } {
  const events = history.map(({ timestamp, type, id, previousEventId, ...details }) =>
    present({ timestamp: instant(timestamp), type, id, previousEventId, ...details }),
  );
  return { events };
}
