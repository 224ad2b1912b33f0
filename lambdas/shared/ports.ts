/** The ports of a deployed stage, made once per warm function from its environment. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { BedrockTextGenerator } from '../../src/adapters/aws/bedrock-text-generator.ts';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { SageMakerCatalogue } from '../../src/adapters/aws/sagemaker-catalogue.ts';
import { StepFunctionsExecutions } from '../../src/adapters/aws/step-functions-executions.ts';
import { RandomIds } from '../../src/adapters/embedded/random-ids.ts';
import { SystemClock } from '../../src/adapters/embedded/system-clock.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { catalogueFromJson } from '../../src/usecase/catalogue.ts';
import { lambdaKeyRing } from './key-ring.ts';
import { telemetry, tracer } from './telemetry.ts';

const temporaryDirectory = '/tmp/bordereau';

let shared: Promise<Omit<Ports, 'temporaryDirectory'>> | undefined;

/** The ports, with an empty temporary directory: a warm function's disk holds whatever its last run left. */
export async function lambdaPorts(): Promise<Ports> {
  shared ??= open();
  await rm(temporaryDirectory, { recursive: true, force: true });
  await mkdir(temporaryDirectory, { recursive: true });
  return { ...(await shared), temporaryDirectory };
}

async function open(): Promise<Omit<Ports, 'temporaryDirectory'>> {
  const s3 = tracer.captureAWSv3Client(new S3Client({}));
  const bucket = (variable: string) => new S3Store({ client: s3, bucket: required(variable), temporaryDirectory });
  // the catalogue lies beside the bundled handler
  const root = required('LAMBDA_TASK_ROOT');
  const catalogue = catalogueFromJson(await readFile(join(root, 'catalogue.json'), 'utf8'));
  return {
    bronze: bucket('BRONZE_BUCKET'),
    silver: bucket('SILVER_BUCKET'),
    gold: bucket('GOLD_BUCKET'),
    registry: bucket('REGISTRY_BUCKET'),
    reports: bucket('REPORTS_BUCKET'),
    catalogue,
    clock: new SystemClock(),
    ids: new RandomIds(),
    executions: new StepFunctionsExecutions(tracer.captureAWSv3Client(new SFNClient({}))),
    models: new SageMakerCatalogue({
      client: tracer.captureAWSv3Client(new SageMakerClient({})),
      groupPrefix: required('MODEL_GROUP_PREFIX'),
    }),
    keyRing: lambdaKeyRing(),
    modelThreads: availableParallelism() > 1 ? 2 : 1,
    // as the next, beside the handlers that train
    ...(availableParallelism() > 1 && { trainingThread: pathToFileURL(join(root, 'training-thread.mjs')) }),
    // beside the handlers that train
    backends: { wasm: async () => Uint8Array.from(await readFile(join(root, 'tfjs-backend-wasm-simd.wasm'))) },
    telemetry,
    // one attempt a request: what is repeated, and when, is decided within the cost cap
    texts: (modelId) =>
      new BedrockTextGenerator({
        client: tracer.captureAWSv3Client(new BedrockRuntimeClient({ maxAttempts: 1 })),
        modelId,
      }),
    codeVersion: required('CODE_VERSION'),
  };
}

function required(variable: string): string {
  const value = process.env[variable];
  if (!value)
    throw new Error(`The environment variable ${variable} is not set; infra/constructs/stage-function.ts sets it.`);
  return value;
}
