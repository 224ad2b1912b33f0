import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StepFunctionsExecutions } from '../../src/adapters/aws/step-functions-executions.ts';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { executionKey, storedExecutions } from '../../src/adapters/embedded/stored-executions.ts';
import { testStepFunctionsClient } from './aws-clients.ts';
import { executionsContract } from './executions.ts';
import { startStepFunctionsServer } from './step-functions-server.ts';

executionsContract('Step Functions', async (arn, events) => {
  const server = await startStepFunctionsServer(arn, events);
  const client = testStepFunctionsClient(server);
  return {
    executions: new StepFunctionsExecutions(client),
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
});

executionsContract('The embedded runtime, of an execution that has ended,', async (arn, events) => {
  const directory = await mkdtemp(join(tmpdir(), 'bordereau-executions-'));
  const store = new DirectoryStore(directory);
  await store.put(executionKey(arn), new TextEncoder().encode(JSON.stringify({ history: events })));
  return { executions: storedExecutions(store), close: () => rm(directory, { recursive: true }) };
});

executionsContract('The embedded runtime, of an execution that runs,', async (arn, events) => {
  const directory = await mkdtemp(join(tmpdir(), 'bordereau-executions-'));
  const running = new Map([[arn, events]]);
  return {
    executions: storedExecutions(new DirectoryStore(directory), running),
    close: () => rm(directory, { recursive: true }),
  };
});
