import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { genesisHash } from '../../src/governance/ledger.ts';
import { promote } from '../../src/governance/promotion.ts';
import { bundleOnline } from '../../infra/online-artifacts.ts';
import { loggedDecisions } from '../../src/serving/decision-log.ts';
import { catalogueFromFolder } from '../../src/usecase/catalogue.ts';
import { testS3Client } from '../contract/aws-clients.ts';
import { startS3Server } from '../contract/s3-server.ts';
import { boosted, publish, requests } from '../serving/models.ts';

const useCase = 'claim-decision';
const outside = mkdtempSync(join(tmpdir(), 'bordereau-online-function-'));
afterAll(() => rmSync(outside, { recursive: true }));

/** A folder with this use case alone. */
function folderOfOne(): string {
  const folder = join(outside, 'usecases');
  const source = fileURLToPath(new URL(`../../usecases/${useCase}`, import.meta.url));
  mkdirSync(join(folder, useCase), { recursive: true });
  const files = readdirSync(source);
  for (const file of files)
    if (!file.startsWith('usecase.')) symlinkSync(join(source, file), join(folder, useCase, file));
  const declared = files.includes('usecase.ts') ? 'usecase.ts' : 'usecase.draft.ts';
  const code = `export { default } from ${JSON.stringify(join(source, declared))};\n`;
  writeFileSync(join(folder, useCase, 'usecase.ts'), code);
  return folder;
}

test('the bundled function decides with the live version from S3, and remembers what it decided before it answers', async () => {
  const s3 = await startS3Server({ buckets: ['bronze', 'registry'], pageSize: 100 });
  const store = (bucket: string) =>
    new S3Store({ client: testS3Client(s3), bucket, temporaryDirectory: join(outside, 'tmp') });
  await publish(store('registry'), useCase, boosted(), 'run-1');
  await promote(
    { store: store('registry'), useCase, nowMs: 0 },
    {
      alias: 'champion',
      version: 1,
      actor: 'test',
      reason: 'test',
      decisionId: 'd',
      criteriaHash: null,
      evidence: null,
      expectedHead: genesisHash,
    },
  );
  const folder = folderOfOne();
  const [{ directory }] = await bundleOnline(await catalogueFromFolder(folder), folder, outside);

  const event = (method: string, rawPath: string, body?: string, isBase64Encoded = false) => ({
    rawPath,
    headers: { 'content-type': 'application/json' },
    requestContext: { http: { method } },
    ...(body !== undefined && { body }),
    isBase64Encoded,
  });
  const events = [
    event('GET', '/ready'),
    event('POST', '/decide', JSON.stringify(requests.slice(0, 3))),
    event('POST', '/decide', Buffer.from(JSON.stringify(requests[3])).toString('base64'), true),
    event('POST', '/decide', 'no JSON'),
  ];
  writeFileSync(
    join(outside, 'call.mjs'),
    `const { handler } = await import('${directory}/index.mjs');
    const answers = [];
    for (const event of ${JSON.stringify(events)}) answers.push(await handler(event, { getRemainingTimeInMillis: () => 60_000 }));
    console.log('\\n' + JSON.stringify(answers));`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [join(outside, 'call.mjs')], {
    env: {
      LAMBDA_TASK_ROOT: directory,
      USE_CASE: useCase,
      REGISTRY_BUCKET: 'registry',
      BRONZE_BUCKET: 'bronze',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIDTEST',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      POWERTOOLS_TRACE_ENABLED: 'false',
      POWERTOOLS_SERVICE_NAME: 'bordereau',
      POWERTOOLS_METRICS_NAMESPACE: 'Bordereau/test',
    },
  });
  const answers = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { statusCode: number; body: string }[];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 400]);
  const { decisions } = JSON.parse(answers[1].body) as { decisions: { key: string; model: string }[] };
  expect(decisions.map(({ key, model }) => `${key} ${model}`)).toEqual(
    requests.slice(0, 3).map((request) => `${request.claim_id} control:1`),
  );
  expect(stdout.split('\n').slice(0, -2).join('\n')).not.toContain(requests[0].claim_id);

  const stored: string[] = [];
  for await (const { key } of loggedDecisions(store('bronze'), useCase)) stored.push(key);
  expect(stored.sort()).toEqual(requests.slice(0, 4).map((request) => request.claim_id));
  await s3.close();
});
