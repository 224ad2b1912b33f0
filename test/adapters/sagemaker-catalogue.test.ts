import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modelGroupName } from '../../src/adapters/aws/model-group.ts';
import { SageMakerCatalogue } from '../../src/adapters/aws/sagemaker-catalogue.ts';
import { testSageMakerClient } from '../contract/aws-clients.ts';
import { model } from '../contract/model-catalogue.ts';
import { type SageMakerServer, startSageMakerServer } from '../contract/sagemaker-server.ts';

const group = 'bordereau-dev-insurance-cost';

let server: SageMakerServer;
let client: ReturnType<typeof testSageMakerClient>;
let catalogue: SageMakerCatalogue;
beforeEach(async () => {
  server = await startSageMakerServer();
  client = testSageMakerClient(server);
  catalogue = new SageMakerCatalogue({ client, groupPrefix: 'bordereau-dev' });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

const approvals = () => server.packages.map(({ approval }) => approval);

describe('what people find in the registry', () => {
  test('a group for the use case, tagged with it, and a package that says which version it is', async () => {
    await catalogue.approve(model(7));
    expect([...server.groups]).toEqual([[group, [{ Key: 'bordereau:use-case', Value: 'insurance-cost' }]]]);
    expect(server.packages).toMatchObject([
      {
        group,
        description: `insurance-cost, version 7, digest ${model(7).digest}`,
        approval: 'Approved',
        card: { ModelCardStatus: 'PendingReview' },
      },
    ]);
  });

  test('why a version is no longer approved, and why it is again', async () => {
    await catalogue.approve(model(1));
    await catalogue.approve(model(2));
    expect(server.packages[0].approvalDescription).toBe('Version 2 is champion in its place.');
    await catalogue.approve(model(1));
    expect(server.packages[0].approvalDescription).toBe('Version 1 is champion again.');
  });

  test('somebody else’s package in the group stays as it is', async () => {
    await catalogue.approve(model(1));
    server.packages.push({ ...server.packages[0], arn: `${server.packages[0].arn}0`, description: 'by hand' });
    await catalogue.approve(model(2));
    expect(approvals()).toEqual(['Rejected', 'Approved', 'Approved']);
  });
});

describe('a failure half-way', () => {
  test('of a creation whose acknowledgement is lost leaves one package: the client’s retry has the same token', async () => {
    server.fail('CreateModelPackage', 500, 'InternalFailure', 1, 'acted');
    await catalogue.approve(model(1));
    expect(server.requests.filter((operation) => operation === 'CreateModelPackage')).toHaveLength(2);
    expect(approvals()).toEqual(['Approved']);
  });

  test('before the replaced version is marked shows both as approved, and the next attempt ends it', async () => {
    await catalogue.approve(model(1));
    server.fail('UpdateModelPackage', 400, 'ConflictException', 1);
    await expect(catalogue.approve(model(2))).rejects.toMatchObject({ name: 'ModelNotMirrored' });
    expect(approvals()).toEqual(['Approved', 'Approved']);
    await catalogue.approve(model(2));
    expect(approvals()).toEqual(['Rejected', 'Approved']);
  });

  test.each(['CreateModelPackageGroup', 'ListModelPackages', 'CreateModelPackage'])(
    'by throttling of %s passes',
    async (operation) => {
      server.fail(operation, 400, 'ThrottlingException', 1);
      await catalogue.approve(model(1));
      expect(approvals()).toEqual(['Approved']);
    },
  );

  test('that lasts is named, with the version, the group and the reason, but not with SageMaker’s text', async () => {
    server.fail('ListModelPackages', 400, 'AccessDeniedException', 9);
    const approving = catalogue.approve(model(3));
    await expect(approving).rejects.toMatchObject({
      name: 'ModelNotMirrored',
      message: expect.stringMatching(`Version 3 of insurance-cost .* ${group} \\(AccessDeniedException\\)`),
    });
    await expect(approving).rejects.not.toThrow('asked for by the test');
  });

  test('another refusal of the group than that it exists is a failure', async () => {
    server.fail('CreateModelPackageGroup', 400, 'ValidationException', 1);
    await expect(catalogue.approve(model(1))).rejects.toMatchObject({ name: 'ModelNotMirrored' });
    expect(server.packages).toEqual([]);
  });
});

test('a use case whose group could have no name is told how long its id may be', () => {
  expect(modelGroupName('bordereau-staging', 'x'.repeat(45))).toHaveLength(63);
  expect(() => modelGroupName('bordereau-staging', 'x'.repeat(46))).toThrow('an id of at most 45');
});
