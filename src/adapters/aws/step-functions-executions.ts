import {
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { Executions, RecordedEvent } from '../../ports/executions.ts';

/** Histories from Step Functions, without execution data: names, types and times are all that is read. */
export class StepFunctionsExecutions implements Executions {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async history(executionArn: string): Promise<RecordedEvent[] | undefined> {
    const events: RecordedEvent[] = [];
    let nextToken: string | undefined;
    try {
      do {
        const page = await this.#client.send(
          new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false, maxResults: 1000, nextToken }),
        );
        events.push(...(page.events ?? []).map(recorded));
        nextToken = page.nextToken;
      } while (nextToken);
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw error;
    }
    return events;
  }
}

function recorded({ timestamp, ...event }: HistoryEvent): RecordedEvent {
  return { ...event, timestamp: timestamp?.getTime() ?? 0 } as RecordedEvent;
}
