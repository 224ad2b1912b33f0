/** The ports of the deciding function: versions and the promotion log to read, decisions to write, and nothing else. */
import { S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { RandomIds } from '../../src/adapters/embedded/random-ids.ts';
import { SystemClock } from '../../src/adapters/embedded/system-clock.ts';
import { telemetry, tracer } from '../shared/telemetry.ts';

export type OnlinePorts = ReturnType<typeof onlinePorts>;

export function onlinePorts() {
  const client = tracer.captureAWSv3Client(new S3Client({}));
  const bucket = (variable: string) =>
    new S3Store({ client, bucket: required(variable), temporaryDirectory: '/tmp/bordereau' });
  return {
    registry: bucket('REGISTRY_BUCKET'),
    bronze: bucket('BRONZE_BUCKET'),
    clock: new SystemClock(),
    ids: new RandomIds(),
    telemetry,
  };
}

export function required(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`The environment variable ${variable} is not set; infra/constructs/online.ts sets it.`);
  return value;
}
