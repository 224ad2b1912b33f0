import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventBridgeBus } from '../../src/adapters/aws/eventbridge-bus.ts';
import { EventsNotPublished } from '../../src/ports/errors.ts';
import { ImpatientClock, testEventBridgeClient } from '../contract/aws-clients.ts';
import { startEventBridgeServer, type EventBridgeServer } from '../contract/eventbridge-server.ts';

let server: EventBridgeServer;
let bus: EventBridgeBus;
let clock: ImpatientClock;
beforeEach(async () => {
  server = await startEventBridgeServer();
  clock = new ImpatientClock();
  bus = new EventBridgeBus({ client: testEventBridgeClient(server), busName: 'dev', source: 'bordereau', clock });
});
afterEach(() => server.close());

test('23 events go in requests of ten, ten and three, with source and bus', async () => {
  await bus.publish(Array.from({ length: 23 }, (_, i) => ({ detailType: 'DatasetArrived', detail: { i } })));
  expect(server.requests).toEqual([10, 10, 3]);
  expect(server.delivered[0]).toEqual({
    detailType: 'DatasetArrived',
    detail: { i: 0 },
    source: 'bordereau',
    bus: 'dev',
  });
});

test('only the refused entry of a request is sent again', async () => {
  server.refuse('ModelTrained', 'ThrottlingException', 2);
  await bus.publish([
    { detailType: 'FeaturesReady', detail: {} },
    { detailType: 'ModelTrained', detail: {} },
  ]);
  expect(server.requests).toEqual([2, 1, 1]);
  expect(server.delivered.map((event) => event.detailType)).toEqual(['FeaturesReady', 'ModelTrained']);
  expect(clock.waits).toEqual([100, 200]);
});

test('what is still refused after the last attempt is reported by name and reason; the rest is published', async () => {
  server.refuse('ModelTrained', 'InternalFailure', 99);
  const publishing = bus.publish([
    { detailType: 'ModelTrained', detail: {} },
    { detailType: 'FeaturesReady', detail: {} },
  ]);
  await expect(publishing).rejects.toThrow(EventsNotPublished);
  await expect(publishing).rejects.toThrow(
    'dev did not take 1 events after 5 attempts: ModelTrained (InternalFailure)',
  );
  expect(server.requests).toEqual([2, 1, 1, 1, 1]);
  expect(server.delivered.map((event) => event.detailType)).toEqual(['FeaturesReady']);
});

test('a request that fails as a whole is reported with its reason', async () => {
  await server.close();
  const publishing = bus.publish([{ detailType: 'ModelTrained', detail: {} }]);
  await expect(publishing).rejects.toThrow(/ModelTrained \(.+\)/);
  server = await startEventBridgeServer();
});
