import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Workers } from '../../src/runtime/workers.ts';
import type { CandidateDocument } from '../../src/stages/tune.ts';
import type { StageInput, StageOutput } from '../../src/stages.ts';
import { temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { type World, ingest, january, openWorld, policies, useCase } from '../stages/world.ts';

const { path, remove } = temporaryDirectory();
const crash = join(path, 'crash');
const useCases = useCasesFolder(join(path, 'usecases'));
// a use case whose worker threads die as they start, while that file is there
const declared = join(useCases, 'insurance-cost', 'usecase.ts');
writeFileSync(
  declared,
  `import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (!isMainThread && existsSync(${JSON.stringify(crash)})) process.exit(7);
${readFileSync(declared, 'utf8')}`,
);

let world: World;
let jobs: StageInput<'Tune'>[];
beforeAll(async () => {
  world = await openWorld({ useCases });
  await ingest(world, 'january.csv', policies({ rows: 400 }));
  const { snapshot, candidates } = await world.run('Snapshot', { useCase, runId: 'r1', cause: 'manual' });
  jobs = candidates.map((candidate) => ({ useCase, runId: 'r1', snapshot: snapshot!, candidate }));
});
afterAll(() => {
  world.close();
  remove();
});

let workers: Workers;
beforeEach(() => {
  workers = new Workers(2, { directory: world.directory, useCases, codeVersion: 'c0de' });
});
afterEach(() => workers.close());

describe('worker threads', () => {
  test('give what the stage gives here, also where there are more jobs than threads', async () => {
    const answers = (await Promise.all(jobs.map((job) => workers.run('Tune', job, january)))) as StageOutput<'Tune'>[];
    const document = async ({ key }: StageOutput<'Tune'>) => {
      const { tookSeconds, ...rest } = JSON.parse(
        new TextDecoder().decode(await world.ports.registry.get(key)),
      ) as CandidateDocument;
      expect(tookSeconds).toBeGreaterThanOrEqual(0);
      return rest;
    };
    const there = await Promise.all(answers.map(document));
    const here = [];
    for (const job of jobs) here.push(await world.run('Tune', job));
    expect(answers).toEqual(here);
    expect(there).toEqual(await Promise.all(here.map(document)));
  });

  test('pass an error on with its name and words, and take the next job', async () => {
    const missing = {
      ...jobs[0],
      snapshot: { ...jobs[0].snapshot, key: 'snapshots/insurance-cost/none/snapshot.json' },
    };
    await expect(workers.run('Tune', missing, january)).rejects.toMatchObject({
      name: 'ObjectNotFound',
      message: expect.stringContaining('snapshots/insurance-cost/none/snapshot.json'),
    });
    await expect(workers.run('Tune', { ...jobs[0], runId: '' }, january)).rejects.toMatchObject({
      name: 'StageContractBroken',
    });
    expect(await workers.run('Tune', jobs[0], january)).toMatchObject({ candidateId: jobs[0].candidate.id });
  });

  test('that die fail their job and are replaced', async () => {
    writeFileSync(crash, '');
    // as many as there may be threads, so that none is left
    const failed = await Promise.allSettled(jobs.slice(0, 2).map((job) => workers.run('Tune', job, january)));
    const reason = new Error('A worker thread ended with code 7; its stage can be run again.');
    expect(failed).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    rmSync(crash);
    expect(await workers.run('Tune', jobs[0], january)).toMatchObject({ candidateId: jobs[0].candidate.id });
  });

  test('that are closed leave no job without an answer', async () => {
    const outcomes = Promise.allSettled([...jobs, ...jobs].map((job) => workers.run('Tune', job, january)));
    await workers.close();
    expect(new Set((await outcomes).map(({ status }) => status))).toEqual(new Set(['rejected']));
  });
});
