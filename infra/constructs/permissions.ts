/** Who may do what, written out statement by statement from what the stages and machines declare. */
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib';
import type { Place, Zone } from '../../src/stages.ts';
import type { Zones } from './zones.ts';

/**
 * Reading and writing objects at the declared places, and using their zones' keys for it through S3; of what is only listed,
 * nothing but the keys. Nothing may be deleted: tables and the registry only grow.
 */
export function placeStatements(
  zones: Zones,
  reads: readonly Place[],
  writes: readonly Place[],
  lists: readonly Place[] = [],
): PolicyStatement[] {
  const objects = (places: readonly Place[]) => places.map((place) => objectsAt(zones, place));
  const statements: PolicyStatement[] = [];
  const allow = (actions: string[], resources: string[], conditions?: Conditions) => {
    if (resources.length > 0)
      statements.push(new PolicyStatement({ actions, resources, ...(conditions && { conditions }) }));
  };

  for (const [zone, prefixes] of byZone([...reads, ...lists])) {
    // with a prefix, only the declared ones can be listed. The request for a missing key has none, and must be answered by
    // «not found», which S3 says only to those who may list
    allow(['s3:ListBucket'], [zones.of[zone].bucket.bucketArn], {
      StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) },
    });
  }
  allow(['s3:GetObject'], objects(reads));
  allow(['s3:PutObject'], objects(writes));

  const keys = (places: readonly Place[]) => [...byZone(places).keys()].map((zone) => zones.of[zone].key.keyArn);
  allow(['kms:Decrypt'], keys(reads), throughS3(zones));
  allow(['kms:GenerateDataKey'], keys(writes), throughS3(zones));
  return statements;
}

/** Only for objects that S3 itself opens or seals. */
export const throughS3 = (zones: Zones): Conditions => ({
  StringEquals: { 'kms:ViaService': `s3.${Stack.of(zones).region}.amazonaws.com` },
});

export const objectsAt = (zones: Zones, place: Place): string => {
  const { zone, prefix } = partsOf(place);
  return zones.of[zone].bucket.arnForObjects(`${prefix}*`);
};

/** Where the vaults of these use cases lie in bronze; their keys' encryption contexts say the same. */
export const vaultsOf = (useCaseIds: readonly string[]): string[] => useCaseIds.map((id) => `vault/${id}/*`);

export const vaultObjects = (zones: Zones, useCaseIds: readonly string[]): string[] =>
  vaultsOf(useCaseIds).map((vaults) => zones.of.bronze.bucket.arnForObjects(vaults));

/** Their audit logs. */
export const vaultAudits = (zones: Zones, useCaseIds: readonly string[]): string[] =>
  vaultObjects(zones, useCaseIds).map((objects) => `${objects}/audit/*`);

/** Making and unwrapping the data keys of these use cases' vaults; KMS checks whose each one is by the encryption context. */
export const vaultKeys = (keyArn: string, useCaseIds: readonly string[]): PolicyStatement =>
  new PolicyStatement({
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    resources: [keyArn],
    conditions: { StringLike: { 'kms:EncryptionContext:vault': vaultsOf(useCaseIds) } },
  });

/** Asking these models for texts. */
export const askingModels = (modelArns: readonly string[]): PolicyStatement =>
  new PolicyStatement({ actions: ['bedrock:InvokeModel'], resources: [...modelArns] });

/** Traces go to the account as a whole: X-Ray knows no resources. */
export const tracing = (): PolicyStatement =>
  new PolicyStatement({
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    resources: ['*'],
  });

/** Log lines into one group that exists. */
export const logging = (logGroupArn: string): PolicyStatement =>
  new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroupArn] });

/** The network interfaces that Lambda itself makes for a function: allowed to the service, denied to the function's own code. */
export function networkInterfaces(functionArn: string): PolicyStatement[] {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  return [
    new PolicyStatement({ actions, resources: ['*'] }),
    new PolicyStatement({
      effect: Effect.DENY,
      actions,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
    }),
  ];
}

export type Conditions = NonNullable<ConstructorParameters<typeof PolicyStatement>[0]>['conditions'];

function partsOf(place: Place): { zone: Zone; prefix: string } {
  const [zone, kind] = place.split('/') as [Zone, string];
  return { zone, prefix: `${kind}/` };
}

function byZone(places: readonly Place[]): Map<Zone, string[]> {
  const prefixes = new Map<Zone, string[]>();
  for (const place of places) {
    const { zone, prefix } = partsOf(place);
    prefixes.set(zone, [...(prefixes.get(zone) ?? []), prefix]);
  }
  return prefixes;
}
