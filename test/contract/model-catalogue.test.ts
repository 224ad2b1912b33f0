import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SageMakerCatalogue } from '../../src/adapters/aws/sagemaker-catalogue.ts';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { cataloguedModels, storedCatalogue } from '../../src/adapters/embedded/stored-catalogue.ts';
import { testSageMakerClient } from './aws-clients.ts';
import { modelCatalogueContract } from './model-catalogue.ts';
import { startSageMakerServer } from './sagemaker-server.ts';

modelCatalogueContract('SageMaker', async () => {
  const server = await startSageMakerServer();
  const client = testSageMakerClient(server);
  return {
    catalogue: new SageMakerCatalogue({ client, groupPrefix: 'bordereau-dev' }),
    shown: async (useCase) =>
      server.packages
        .filter(({ group }) => group === `bordereau-dev-${useCase}`)
        .map(({ description, approval, card }) => ({
          digest: description.slice(-64),
          approved: approval === 'Approved',
          card: JSON.parse(card!.ModelCardContent) as unknown,
        })),
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
});

modelCatalogueContract('The stored catalogue', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bordereau-models-'));
  const store = new DirectoryStore(directory);
  return {
    catalogue: storedCatalogue(store),
    shown: async (useCase) =>
      (await cataloguedModels(store, useCase)).map(({ digest, approved, card }) => ({ digest, approved, card })),
    close: () => rm(directory, { recursive: true }),
  };
});
