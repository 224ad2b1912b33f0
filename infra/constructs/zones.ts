import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type LifecycleRule,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type Zone, zones } from '../../src/stages.ts';
import { dropPrefix } from '../../src/triggers.ts';
import type { Environment } from '../environments.ts';
import { reIdentificationRoleName, roleArn, vaultOpenerRoleName } from '../names.ts';

export type ZoneStore = { readonly bucket: Bucket; readonly key: Key };

/** One bucket per zone, each under a key of its own, so that reading a zone takes two permissions and can be cut by either. */
export class Zones extends Construct {
  readonly of: Readonly<Record<Zone, ZoneStore>>;
  /** Wraps the data keys of the vaults: with bronze's key alone nobody can be re-identified. */
  readonly vaultKey: Key;
  /** Who read and wrote what, and what the isolated network carried. */
  readonly accessLogs: Bucket;
  readonly #environment: Environment;

  constructor(scope: Construct, id: string, { environment }: { readonly environment: Environment }) {
    super(scope, id);
    this.#environment = environment;
    this.accessLogs = this.#accessLogs();
    this.vaultKey = this.#key('Vault', 'the vaults of surrogates');
    this.vaultKey.addToResourcePolicy(onlyOpenedBy(this, environment));
    this.of = Object.fromEntries(zones.map((zone) => [zone, this.#zone(zone)])) as Record<Zone, ZoneStore>;

    announceDrops(this.of.bronze.bucket);
    createOnly(this.of.bronze.bucket, '*/_delta_log/*.json', 'vault/*');
    for (const zone of ['silver', 'gold'] as const) createOnly(this.of[zone].bucket, '*/_delta_log/*.json');
    createOnly(this.of.registry.bucket, 'promotions/*', 'versions/*', 'leases/*');
  }

  #zone(zone: Zone): ZoneStore {
    const { registryLockDays } = this.#environment;
    const key = this.#key(titled(zone), zone);
    const bucket = new Bucket(this, titled(zone), {
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      // one data key per bucket and hour instead of one call to KMS per object
      bucketKeyEnabled: true,
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: `${zone}/`,
      lifecycleRules: lifecycle(zone, this.#environment),
      // governance, not compliance: an erasure that the law demands must stay possible, by a named permission
      ...(zone === 'registry' &&
        registryLockDays > 0 && {
          objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(registryLockDays)),
        }),
      removalPolicy: removalPolicyOf(this.#environment),
    });
    return { bucket, key };
  }

  #key(name: string, of: string): Key {
    return new Key(this, `${name}Key`, {
      description: `Bordereau ${this.#environment.name}: ${of}`,
      enableKeyRotation: true,
      removalPolicy: removalPolicyOf(this.#environment),
    });
  }

  #accessLogs(): Bucket {
    return new Bucket(this, 'AccessLogs', {
      // S3 writes access logs only to buckets under its own key
      encryption: BucketEncryption.S3_MANAGED,
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        {
          expiration: Duration.days(this.#environment.logRetention),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
      removalPolicy: removalPolicyOf(this.#environment),
    });
  }
}

export const removalPolicyOf = ({ keepsData }: Environment): RemovalPolicy =>
  keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;

/** Tables are never aged out object by object: a Delta log names files of any age. Only superseded versions go, and raw drops. */
function lifecycle(zone: Zone, { restoreDays, dropRetentionDays }: Environment): LifecycleRule[] {
  const housekeeping: LifecycleRule = {
    id: 'superseded',
    noncurrentVersionExpiration: Duration.days(restoreDays),
    expiredObjectDeleteMarker: true,
    abortIncompleteMultipartUploadAfter: Duration.days(7),
  };
  if (zone !== 'bronze') return [housekeeping];
  return [housekeeping, { id: 'drops', prefix: dropPrefix, expiration: Duration.days(dropRetentionDays) }];
}

/** S3 tells EventBridge of new objects. Set on the resource itself: the construct would bring a function of its own along. */
function announceDrops(bucket: Bucket): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}

/**
 * Objects at these keys can only be created, never replaced, by anybody: a log's entry is its commit. A write without
 * `If-None-Match` is refused. The parts of a multipart upload carry no such header; its completion does.
 */
function createOnly(bucket: Bucket, ...keys: string[]): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CreateOnly',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['s3:PutObject'],
      resources: keys.map((pattern) => bucket.arnForObjects(pattern)),
      conditions: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    }),
  );
}

/**
 * Whatever else is granted anywhere in the account, nobody unwraps a key of the vaults but the function that gives out surrogates and
 * whoever re-identifies. Who may change the key's policy can change this as well, and is seen doing it.
 */
function onlyOpenedBy(scope: Construct, environment: Environment): PolicyStatement {
  const names = [vaultOpenerRoleName(scope, environment), reIdentificationRoleName(scope, environment)];
  return new PolicyStatement({
    sid: 'OnlyVaultOpeners',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['kms:Decrypt', 'kms:ReEncryptFrom'],
    resources: ['*'],
    conditions: { ArnNotEquals: { 'aws:PrincipalArn': names.map((name) => roleArn(scope, name)) } },
  });
}

export const titled = (name: string): string => `${name[0].toUpperCase()}${name.slice(1)}`;
