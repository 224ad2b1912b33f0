import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { DomainEvent } from '../../src/ports/event-bus.ts';

/**
 * EventBridge's PutEvents over HTTP, with its limits: at most ten entries and 256 KiB in a request. Loopback only.
 */
export type EventBridgeServer = {
  endpoint: string;
  delivered: (DomainEvent & { source: string; bus: string })[];
  /** The sizes, in entries, of the requests so far. */
  requests: number[];
  /** The next `times` entries of that detail type are answered with the error code, within a request that succeeds. */
  refuse(detailType: string, code: string, times: number): void;
  close(): Promise<void>;
};

type Entry = { Source: string; DetailType: string; Detail: string; EventBusName: string };

export async function startEventBridgeServer(): Promise<EventBridgeServer> {
  const refusals: { detailType: string; code: string; times: number }[] = [];
  const delivered: EventBridgeServer['delivered'] = [];
  const requests: number[] = [];

  function take(entry: Entry): object {
    const refusal = refusals.find((one) => one.detailType === entry.DetailType && one.times > 0);
    if (refusal) {
      refusal.times--;
      return { ErrorCode: refusal.code, ErrorMessage: refusal.code };
    }
    const detail = JSON.parse(entry.Detail) as DomainEvent['detail'];
    delivered.push({ detailType: entry.DetailType, detail, source: entry.Source, bus: entry.EventBusName });
    return { EventId: String(delivered.length) };
  }

  function answer(target: unknown, entries: Entry[]): { status: number; body: object } {
    if (target !== 'AWSEvents.PutEvents') return { status: 400, body: { __type: 'UnknownOperationException' } };
    requests.push(entries.length);
    const bytes = entries.reduce((sum, e) => sum + Buffer.byteLength(e.Source + e.DetailType + e.Detail), 0);
    if (entries.length > 10 || bytes > 262_144) return { status: 400, body: { __type: 'ValidationException' } };
    const results = entries.map(take);
    const failed = results.filter((result) => 'ErrorCode' in result).length;
    return { status: 200, body: { Entries: results, FailedEntryCount: failed } };
  }

  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { status, body: reply } = answer(request.headers['x-amz-target'], (body as { Entries: Entry[] }).Entries);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delivered,
    requests,
    refuse: (detailType, code, times) => refusals.push({ detailType, code, times }),
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}
