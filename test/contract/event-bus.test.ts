import { EventBridgeBus } from '../../src/adapters/aws/eventbridge-bus.ts';
import { testEventBridgeClient, ImpatientClock } from './aws-clients.ts';
import { eventBusContract } from './event-bus.ts';
import { startEventBridgeServer } from './eventbridge-server.ts';

eventBusContract('EventBridge', async () => {
  const server = await startEventBridgeServer();
  const client = testEventBridgeClient(server);
  const bus = new EventBridgeBus({ client, busName: 'bordereau', source: 'bordereau', clock: new ImpatientClock() });
  return {
    bus,
    delivered: async () => server.delivered.map(({ detailType, detail }) => ({ detailType, detail })),
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
});
