import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Clock } from '../../src/ports/clock.ts';

const common = {
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
  maxAttempts: 2,
};

/** The real SDK client, pointed at an in-process server. */
export function testS3Client({ endpoint }: { endpoint: string }, maxAttempts = common.maxAttempts): S3Client {
  return new S3Client({ ...common, maxAttempts, endpoint, forcePathStyle: true });
}

/** The real SDK client, pointed at an in-process server. */
export function testEventBridgeClient({ endpoint }: { endpoint: string }): EventBridgeClient {
  return new EventBridgeClient({ ...common, endpoint });
}

/** The real SDK client, pointed at an in-process server. */
export function testStepFunctionsClient({ endpoint }: { endpoint: string }): SFNClient {
  return new SFNClient({ ...common, endpoint });
}

/** The real SDK client, pointed at an in-process server. */
export function testSageMakerClient({ endpoint }: { endpoint: string }): SageMakerClient {
  return new SageMakerClient({ ...common, endpoint });
}

/** Time stands still, and sleeping is over at once; the waits asked for are kept in `waits`. */
export class ImpatientClock implements Clock {
  readonly waits: number[] = [];
  nowMs(): number {
    return 0;
  }
  async sleep(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
  }
}
