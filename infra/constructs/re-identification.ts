import { Duration } from 'aws-cdk-lib';
import { ArnPrincipal, CompositePrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { reIdentificationRoleName } from '../names.ts';
import { throughS3, vaultAudits, vaultObjects, vaultsOf } from './permissions.ts';
import type { Zones } from './zones.ts';

export type ReIdentificationProps = {
  readonly environment: Environment;
  readonly zones: Zones;
  readonly useCaseIds: readonly string[];
  /** ARNs of the users and roles who may take it. */
  readonly principals: readonly string[];
};

/**
 * The role in which a person asks the vaults who a surrogate stands for: with a second factor, for an hour. It reads the vaults,
 * unwraps the keys of their entries and appends to their audit logs. It reads no table, and cannot look anybody up by identifier:
 * the key of the index is not for it.
 */
export class ReIdentification extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, { environment, zones, useCaseIds, principals }: ReIdentificationProps) {
    super(scope, id);
    const policy = new ManagedPolicy(this, 'Policy', {
      description: 'What re-identification takes',
      statements: statementsOf(zones, useCaseIds),
    });
    const withSecondFactor = {
      Bool: { 'aws:MultiFactorAuthPresent': 'true' },
      NumericLessThan: { 'aws:MultiFactorAuthAge': '3600' },
    };
    this.role = new Role(this, 'Role', {
      roleName: reIdentificationRoleName(this, environment),
      description: 'Asks the vaults who a surrogate stands for',
      assumedBy: new CompositePrincipal(
        ...principals.map((arn) => new ArnPrincipal(arn).withConditions(withSecondFactor)),
      ),
      managedPolicies: [policy],
      maxSessionDuration: Duration.hours(1),
    });
  }
}

function statementsOf(zones: Zones, useCaseIds: readonly string[]): PolicyStatement[] {
  const { bucket, key } = zones.of.bronze;
  return [
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      // the request for a missing key has no prefix, and must be answered by «not found»
      conditions: { StringLikeIfExists: { 's3:prefix': vaultsOf(useCaseIds) } },
    }),
    new PolicyStatement({ actions: ['s3:GetObject'], resources: vaultObjects(zones, useCaseIds) }),
    new PolicyStatement({ actions: ['s3:PutObject'], resources: vaultAudits(zones, useCaseIds) }),
    new PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
      conditions: throughS3(zones),
    }),
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [zones.vaultKey.keyArn],
      conditions: {
        StringLike: { 'kms:EncryptionContext:vault': vaultsOf(useCaseIds) },
        StringEquals: { 'kms:EncryptionContext:use': 'bucket' },
      },
    }),
  ];
}
