import { describe, expect, test } from 'vitest';
import { zones } from '../../src/stages.ts';
import { deployAll, environmentNames, listed, type Properties, sorted, text } from './deployed.ts';

const { deployed } = deployAll();

describe.each(deployed)('the zones of $environment.name', ({ environment, resources, of }) => {
  const buckets = of('AWS::S3::Bucket');
  const zoneOf = (logicalId: string) => zones.find((zone) => logicalId.toLowerCase().startsWith(`zones${zone}`));
  const zoned = Object.entries(buckets).filter(([logicalId]) => zoneOf(logicalId));
  const rules = (bucket: Properties) => bucket['LifecycleConfiguration'].Rules as Properties[];
  const policyOf = (logicalId: string) =>
    Object.values(of('AWS::S3::BucketPolicy')).find(({ Bucket }) => text(Bucket) === `<${logicalId}>`)![
      'PolicyDocument'
    ].Statement as Properties[];

  test('are one bucket each, and one for access logs', () => {
    expect(sorted(zoned.map(([logicalId]) => zoneOf(logicalId)))).toEqual(sorted(zones));
    expect(Object.keys(buckets)).toHaveLength(zones.length + 1);
  });

  test('have a key of their own, which rotates', () => {
    const keyOf = ({ BucketEncryption }: Properties) => {
      const [rule] = BucketEncryption.ServerSideEncryptionConfiguration;
      expect(rule).toMatchObject({
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' },
      });
      return text(rule.ServerSideEncryptionByDefault.KMSMasterKeyID).slice(1, -1);
    };
    const keys = zoned.map(([, bucket]) => keyOf(bucket));
    expect(new Set(keys).size).toBe(zones.length);
    for (const key of Object.values(of('AWS::KMS::Key'))) expect(key['EnableKeyRotation']).toBe(true);
  });

  test('leave the vaults’ data keys to a key that no bucket is under', () => {
    const vault = Object.entries(of('AWS::KMS::Key')).filter(([logicalId]) => logicalId.startsWith('ZonesVaultKey'));
    expect(vault).toHaveLength(1);
    expect(Object.keys(of('AWS::KMS::Key'))).toHaveLength(zones.length + 2);
    expect(JSON.stringify(buckets)).not.toContain(vault[0][0]);
  });

  test('keep versions, are closed to the public, and are read and written over TLS only', () => {
    for (const [logicalId, bucket] of Object.entries(buckets)) {
      expect(bucket['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
      expect(bucket['PublicAccessBlockConfiguration']).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const insecure = policyOf(logicalId).filter(
        ({ Condition }) => Condition?.Bool?.['aws:SecureTransport'] === 'false',
      );
      expect(insecure).toMatchObject([{ Effect: 'Deny', Action: 's3:*' }]);
    }
  });

  test('write down who read and wrote', () => {
    const logs = Object.keys(buckets).find((logicalId) => !zoneOf(logicalId));
    for (const [logicalId, { LoggingConfiguration }] of zoned) {
      expect(text(LoggingConfiguration.DestinationBucketName)).toBe(`<${logs}>`);
      expect(LoggingConfiguration.LogFilePrefix).toBe(`${zoneOf(logicalId)}/`);
    }
  });

  test('announce new objects from bronze alone', () => {
    const announcing = zoned.filter(([, { NotificationConfiguration }]) => NotificationConfiguration);
    expect(announcing.map(([logicalId]) => zoneOf(logicalId))).toEqual(['bronze']);
    expect(announcing[0][1]['NotificationConfiguration']).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
  });

  test('let an entry of a log, a promotion, a version and a lease be created, but never replaced', () => {
    const createOnly = zoned.map(([logicalId]) => {
      const denied = policyOf(logicalId).filter(({ Sid }) => Sid === 'CreateOnly');
      for (const statement of denied) {
        expect(statement).toMatchObject({
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 's3:PutObject',
          Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
        });
      }
      const keys = denied.flatMap(({ Resource }) => listed(Resource).map((resource) => text(resource).split('>/')[1]));
      return [zoneOf(logicalId), sorted(keys)];
    });
    expect(Object.fromEntries(createOnly)).toEqual({
      bronze: ['*/_delta_log/*.json', 'vault/*'],
      silver: ['*/_delta_log/*.json'],
      gold: ['*/_delta_log/*.json'],
      registry: ['leases/*', 'promotions/*', 'versions/*'],
      reports: [],
    });
  });

  test('age out raw drops and superseded versions, never an object of a table or of the registry', () => {
    for (const [logicalId, bucket] of zoned) {
      const aged = rules(bucket).filter(({ ExpirationInDays }) => ExpirationInDays);
      const expected = { Prefix: 'drops/', ExpirationInDays: environment.dropRetentionDays };
      expect(aged).toMatchObject(zoneOf(logicalId) === 'bronze' ? [expected] : []);
      expect(rules(bucket)).toContainEqual(
        expect.objectContaining({ NoncurrentVersionExpiration: { NoncurrentDays: environment.restoreDays } }),
      );
    }
  });

  test(`${environment.keepsData ? 'outlive' : 'go with'} their stack`, () => {
    const kept = Object.values(resources).filter(({ Type }) => ['AWS::S3::Bucket', 'AWS::KMS::Key'].includes(Type));
    for (const { DeletionPolicy } of kept)
      expect(DeletionPolicy).toBe(environment.keepsData ? 'RetainExceptOnCreate' : 'Delete');
  });
});

test('what the registry of prod recorded is locked for a year, and only there', () => {
  const locks = deployed.map(({ of }) =>
    Object.values(of('AWS::S3::Bucket')).flatMap(({ ObjectLockConfiguration }) => ObjectLockConfiguration?.Rule ?? []),
  );
  const oneYear = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 365 } };
  expect(Object.fromEntries(environmentNames.map((name, i) => [name, locks[i]]))).toEqual({
    dev: [],
    staging: [],
    prod: [oneYear],
  });
});
