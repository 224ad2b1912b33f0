import type { Executions, RecordedEvent } from '../../ports/executions.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** Where the embedded runtime keeps the record of an execution. */
export const executionKey = (executionArn: string) => `executions/${executionArn.split(':').slice(-2).join('/')}.json`;

/** Histories as the embedded runtime stores them when an execution ends; `running` holds those that have not ended. */
export function storedExecutions(
  store: ObjectStore,
  running: ReadonlyMap<string, readonly RecordedEvent[]> = new Map(),
): Executions {
  return {
    async history(executionArn) {
      const live = running.get(executionArn);
      if (live) return [...live];
      const bytes = await store.get(executionKey(executionArn));
      return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as { history: RecordedEvent[] }).history;
    },
  };
}
