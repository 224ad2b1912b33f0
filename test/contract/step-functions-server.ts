import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { RecordedEvent } from '../../src/ports/executions.ts';

/**
 * Step Functions' GetExecutionHistory over HTTP (AWS JSON 1.0): pages of at most 1,000 events, times in seconds, and nothing
 * of the data where the caller asks for none. Loopback only.
 */
export async function startStepFunctionsServer(
  arn: string,
  events: readonly RecordedEvent[],
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const answer = (
    target: unknown,
    request: { executionArn: string; maxResults?: number; nextToken?: string; includeExecutionData?: boolean },
  ) => {
    if (target !== 'AWSStepFunctions.GetExecutionHistory')
      return { status: 400, body: { __type: 'UnknownOperationException' } };
    if (request.executionArn !== arn)
      return { status: 400, body: { __type: 'ExecutionDoesNotExist', message: 'Execution Does Not Exist' } };
    if (request.includeExecutionData !== false)
      return { status: 400, body: { __type: 'AccessDenied', message: 'data were asked for' } };
    const start = Number(request.nextToken ?? 0);
    const end = start + Math.min(request.maxResults ?? 100, 1000);
    return {
      status: 200,
      body: {
        events: events.slice(start, end).map((event) => ({ ...event, timestamp: event.timestamp / 1000 })),
        ...(end < events.length && { nextToken: String(end) }),
      },
    };
  };
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { status, body: answered } = answer(request.headers['x-amz-target'], body as never);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answered));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
