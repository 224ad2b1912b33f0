import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KMS } from '@aws-sdk/client-kms';
import { AwsSolutionsChecks, HIPAASecurityChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { principalsOf } from '../../infra/environments.ts';
import { KmsKeyRing } from '../../src/adapters/aws/kms-key-ring.ts';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { RandomIds } from '../../src/adapters/embedded/random-ids.ts';
import { SystemClock } from '../../src/adapters/embedded/system-clock.ts';
import { Vault } from '../../src/privacy/vault.ts';
import { testS3Client } from '../contract/aws-clients.ts';
import { startKmsServer } from '../contract/kms-server.ts';
import { startS3Server } from '../contract/s3-server.ts';
import { deployAll, listed, only, type Properties, sorted, text, useCases } from './deployed.ts';

const officers = ['arn:aws:iam::111111111111:user/privacy-officer', 'arn:aws:iam::111111111111:role/privacy'];
const { app, deployed } = deployAll([], useCases, officers);
const without = deployAll().deployed;

const roleName = (environment: string, kind: string) => `bordereau-${environment}-${kind}-<AWS::Region>`;

describe.each(deployed)('37. re-identification in $environment.name', ({ environment, of }) => {
  const role = only(of('AWS::IAM::Role'), ({ RoleName }) => {
    return RoleName !== undefined && text(RoleName) === roleName(environment.name, 're-identification');
  });
  const vaultKey = Object.entries(of('AWS::KMS::Key')).find(([id]) => id.startsWith('ZonesVaultKey'))!;

  test('is for the named people, with a second factor that is less than an hour old, and for an hour', () => {
    expect(role['MaxSessionDuration']).toBe(3600);
    const trusted = role['AssumeRolePolicyDocument'].Statement as Properties[];
    expect(trusted).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { AWS: expect.arrayContaining(officers) },
        Condition: {
          Bool: { 'aws:MultiFactorAuthPresent': 'true' },
          NumericLessThan: { 'aws:MultiFactorAuthAge': '3600' },
        },
      },
    ]);
    expect(trusted[0]['Principal'].AWS).toHaveLength(officers.length);
  });

  test('may read the vaults, append to their audit logs and unwrap the keys of their entries, and nothing else', () => {
    expect(role['Policies']).toBeUndefined();
    const [policyId] = listed(role['ManagedPolicyArns']).map((arn) => text(arn).slice(1, -1));
    expect(role['ManagedPolicyArns']).toHaveLength(1);
    const statements = of('AWS::IAM::ManagedPolicy')[policyId]['PolicyDocument'].Statement as Properties[];
    const bronze = expect.stringMatching(/^<ZonesBronze[0-9A-F]+>$/) as string;
    const said = statements.map(({ Effect, Action, Resource, Condition }) => ({
      effect: Effect as string,
      actions: sorted(listed(Action)),
      resources: listed(Resource).map((resource) => text(resource).replace(/^<ZonesBronze[0-9A-F]+>\//, 'bronze/')),
      ...(Condition && { when: JSON.parse(JSON.stringify(Condition), reference) as object }),
    }));
    const vaults = ['vault/motor-claims/*', 'vault/travel/*'];
    expect(said).toEqual([
      {
        effect: 'Allow',
        actions: ['s3:ListBucket'],
        resources: [bronze],
        when: { StringLikeIfExists: { 's3:prefix': vaults } },
      },
      { effect: 'Allow', actions: ['s3:GetObject'], resources: vaults.map((vault) => `bronze/${vault}`) },
      { effect: 'Allow', actions: ['s3:PutObject'], resources: vaults.map((vault) => `bronze/${vault}/audit/*`) },
      {
        effect: 'Allow',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [expect.stringMatching(/^<ZonesBronzeKey/)],
        when: { StringEquals: { 'kms:ViaService': 's3.<AWS::Region>.amazonaws.com' } },
      },
      {
        effect: 'Allow',
        actions: ['kms:Decrypt'],
        resources: [`<${vaultKey[0]}>`],
        when: {
          StringLike: { 'kms:EncryptionContext:vault': vaults },
          StringEquals: { 'kms:EncryptionContext:use': 'bucket' },
        },
      },
    ]);
  });
});

/** References as short text, where they stand in a condition. */
function reference(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'Fn::Join' in value ? text(value) : value;
}

describe.each([...deployed, ...without])('37. the vaults’ key in $environment.name', ({ environment, of }) => {
  test('refuses to unwrap for anybody but the two roles, whatever else they may', () => {
    const [, { KeyPolicy }] = Object.entries(of('AWS::KMS::Key')).find(([id]) => id.startsWith('ZonesVaultKey'))!;
    const denied = (KeyPolicy.Statement as Properties[]).filter(({ Effect }) => Effect === 'Deny');
    const arn = (kind: string) => `arn:<AWS::Partition>:iam::<AWS::AccountId>:role/${roleName(environment.name, kind)}`;
    expect(denied).toMatchObject([
      { Principal: { AWS: '*' }, Action: ['kms:Decrypt', 'kms:ReEncryptFrom'], Resource: '*' },
    ]);
    expect(Object.keys(denied[0]['Condition'])).toEqual(['ArnNotEquals']);
    expect(denied[0]['Condition'].ArnNotEquals['aws:PrincipalArn'].map(text)).toEqual([
      arn('vault-opener'),
      arn('re-identification'),
    ]);
    // the first of them is the role of the function that gives out surrogates, and of no other
    const functionRole = Object.entries(of('AWS::IAM::Role')).find(
      ([, { RoleName }]) => RoleName && text(RoleName) === roleName(environment.name, 'vault-opener'),
    );
    const users = Object.values(of('AWS::Lambda::Function')).filter(
      ({ Role }) => text(Role) === `<${functionRole![0]}>`,
    );
    expect(users.map(({ FunctionName }) => FunctionName)).toEqual([`bordereau-${environment.name}-validate`]);
  });
});

test('37. what re-identification does is what its role may: no write but to the audit log, no key but those of entries', async () => {
  const [s3, kms] = [await startS3Server({ buckets: ['bronze'], pageSize: 1000 }), await startKmsServer(['vault-key'])];
  const directory = mkdtempSync(join(tmpdir(), 'bordereau-vault-'));
  const store = new S3Store({ client: testS3Client(s3), bucket: 'bronze', temporaryDirectory: directory });
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' };
  const client = new KMS({ region: 'eu-west-1', endpoint: kms.endpoint, credentials });
  const keyRing = new KmsKeyRing({ kms: client, keyId: 'vault-key' });
  const ports = { store, keyRing, ids: new RandomIds(), clock: new SystemClock() };
  try {
    const at = { useCase: 'travel', domain: 'member' };
    const surrogate = (await new Vault(ports, at).surrogatesOf(['M-1', 'M-2'])).get('M-1')!;
    s3.requests.length = 0;
    kms.calls.length = 0;
    expect(await new Vault(ports, at).reidentify(surrogate, { actor: 'officer', reason: 'test' })).toBe('M-1');
    const writes = s3.requests.filter((request) => !/^(GET|HEAD) /.test(request));
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatch(/^PUT \/bronze\/vault\/travel\/member\/audit\//);
    // of a listing only the bucket is on record here
    const elsewhere = s3.requests.filter((request) => !/^GET \/bronze\/$|\/bronze\/vault\/travel\//.test(request));
    expect(elsewhere).toEqual([]);
    expect(kms.calls.length).toBeGreaterThan(0);
    for (const { operation, context } of kms.calls) {
      expect([operation, context['vault'], context['use']]).toEqual(['Decrypt', 'vault/travel/member', 'bucket']);
    }
  } finally {
    await Promise.all([s3.close(), kms.close()]);
    client.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('where nobody is named there is no role for it', () => {
  for (const { environment, of } of without) {
    const named = Object.values(of('AWS::IAM::Role')).flatMap(({ RoleName }) => (RoleName ? [text(RoleName)] : []));
    expect(named).toEqual([roleName(environment.name, 'vault-opener')]);
  }
});

test.each([new HIPAASecurityChecks(app), new ServerlessChecks(app), new AwsSolutionsChecks(app)])(
  '36. the role leaves no finding of $name unacknowledged',
  (pack) => {
    expect(pack.validateScope(app).violations).toEqual([]);
  },
);

test('who may re-identify is given one by one', () => {
  expect(principalsOf('prod.reidentify', officers.join(', '))).toEqual(officers);
  expect(principalsOf('prod.reidentify', officers)).toEqual(officers);
  expect(principalsOf('prod.reidentify', undefined)).toEqual([]);
  for (const wrong of ['*', 'arn:aws:iam::111111111111:root', 'arn:aws:iam::111111111111:user/*', '', [7], {}])
    expect(() => principalsOf('prod.reidentify', wrong)).toThrow(/^prod\.reidentify/);
});
