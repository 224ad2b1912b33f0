import { execFileSync } from 'node:child_process';
import { on } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { bundleHandlers } from '../../infra/artifacts.ts';
import { duckdbLayer } from '../../layers/duckdb/build.ts';
import { binMatrix } from '../../src/ml/trees/binning.ts';
import { boostingParameters, completeParameters } from '../../src/ml/trees/parameters.ts';
import { roundsMemory, roundsOn } from '../../src/ml/trees/rounds.ts';
import { inSharedMemory, startSecondThread } from '../../src/ml/trees/second-thread.ts';
import { type BoostingJob, treeMaker } from '../../src/ml/trees/tree-maker.ts';
import { catalogueFromFolder, catalogueFromJson } from '../../src/usecase/catalogue.ts';
import { stageNames } from '../../src/stages.ts';
import { long } from '../long.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = (path: string) =>
  JSON.parse(readFileSync(join(root, path), 'utf8')) as { [field: string]: { [name: string]: string } };

// outside the repository, as on Lambda: what is not bundled is not found beside it
const outside = mkdtempSync(join(tmpdir(), 'bordereau-artifacts-'));
const directory = join(outside, 'task');
const layer = join(outside, 'opt');
mkdirSync(layer);
symlinkSync(join(root, 'node_modules/@duckdb'), join(layer, '@duckdb'));
afterAll(() => rmSync(outside, { recursive: true }));

const catalogue = JSON.stringify(await catalogueFromFolder(join(root, 'usecases')));
const handlers = await bundleHandlers(catalogue, directory);

describe('the bundled handlers', () => {
  test('are a folder per stage, with the catalogue beside the code', () => {
    expect(readdirSync(directory).sort()).toEqual(stageNames.toSorted());
    for (const stage of stageNames) {
      const code = readFileSync(join(handlers[stage].directory, 'index.mjs'), 'utf8');
      const asked = {
        'segment-thread.mjs': 'segment-thread',
        'tfjs-backend-wasm-simd.wasm': 'tfjs-backend-wasm.wasm',
        'training-thread.mjs': 'trainBoosting(',
      };
      const needed = Object.entries(asked).flatMap(([file, words]) => (code.includes(words) ? [file] : []));
      const expected = ['catalogue.json', 'index.mjs', ...needed];
      expect(readdirSync(handlers[stage].directory).sort()).toEqual(expected);
      const shipped = catalogueFromJson(readFileSync(join(handlers[stage].directory, 'catalogue.json'), 'utf8'));
      expect(shipped.useCases.map(({ declaration }) => declaration.id)).toContain('insurance-cost');
    }
  });

  test('load on their own, with DuckDB where a layer puts it', () => {
    const load = stageNames.map(
      (stage) => `typeof (await import('${join(handlers[stage].directory, 'index.mjs')}')).handler`,
    );
    const types = execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', `console.log([${load.join()}].join())`],
      {
        cwd: directory,
        encoding: 'utf8',
        // what Lambda sets to /opt/nodejs/node_modules
        env: { NODE_PATH: layer, AWS_REGION: 'eu-west-2', POWERTOOLS_DEV: 'true' },
      },
    );
    expect(types.trim().split(',')).toEqual(stageNames.map(() => 'function'));
  });

  test('bring the second thread of a training along, which grows the trees that the first would', () => {
    const { directory } = handlers.Train;
    expect(readFileSync(join(directory, 'index.mjs'), 'utf8')).toContain('"training-thread.mjs"');
    const rows = 200;
    const values = Float64Array.from({ length: rows }, (_, row) => row);
    const parameters = completeParameters(boostingParameters, { iterations: 3, numLeaves: 5 });
    const binned = binMatrix({ rows, columns: 1, names: ['x'], values }, parameters);
    const job = (): BoostingJob => ({
      parameters,
      kernel: undefined,
      binned,
      weight: null,
      watched: null,
      heads: [Math.sin, Math.cos].map((of) => ({ target: values.map(of), initial: 0, score: new Float64Array(rows) })),
    });
    const memory = roundsMemory(3, 2);
    const rounds = roundsOn(memory, 3, 2);
    const thread = startSecondThread(
      pathToFileURL(join(directory, 'training-thread.mjs')),
      inSharedMemory(job()),
      memory,
    );
    try {
      const patience = performance.now() + 60_000;
      while (rounds.figures(2) === null && performance.now() < patience)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      const make = treeMaker(job());
      const expected: unknown[] = [];
      for (let round = 0; round < 3; round++)
        for (let output = 0; output < 2; output++) expected.push(make({ round, output }).tree);
      const grown: unknown[] = [];
      thread.collect((tree) => void grown.push(tree));
      expect(grown).toEqual(expected);
    } finally {
      thread.stop();
    }
  });

  test('read a large file in a second thread, whose code lies beside them', async () => {
    const path = join(outside, 'numbers.csv');
    writeFileSync(path, `n\n${Array.from({ length: 1000 }, (_, i) => `${i}\n`).join('')}`);
    const file = openSync(path, 'r');
    const column = { name: 'n', type: 'integer', sqlType: 'INTEGER' };
    const workerData = {
      file,
      header: ['n'],
      columns: [{ column, position: 0, asText: false }],
      options: { file: 'numbers.csv', delimiter: ',', segmentBytes: 400, limits: { lineBytes: 100 } },
    };
    const thread = new Worker(join(handlers.Validate.directory, 'segment-thread.mjs'), { workerData });
    const answers = on(thread, 'message');
    const answer = async (): Promise<unknown> => ((await answers.next()).value as unknown[])[0];
    thread.postMessage({ guess: 1001 });
    // 278, behind 22 bytes of the header and 0 … 9, 270 of 10 … 99, and four for each from 100 on
    expect(await answer()).toEqual({ from: 1004, next: { byteOffset: 1404, line: 101 } });
    thread.postMessage({ write: join(outside, 'numbers.parquet'), line: 280 });
    expect(await answer()).toMatchObject({ rows: 100, lineSum: 50 * (280 + 379) });
    expect(readFileSync(join(outside, 'numbers.parquet')).subarray(0, 4).toString()).toBe('PAR1');
    await thread.terminate();
    closeSync(file);
  });

  test('get the DuckDB layer exactly where their code asks for it', () => {
    for (const stage of stageNames) {
      const code = readFileSync(join(handlers[stage].directory, 'index.mjs'), 'utf8');
      expect(code.includes('require("@duckdb/node-api")')).toBe(handlers[stage].needsDuckdb);
      expect(code).not.toMatch(/from ["']@duckdb\//);
    }
    expect(handlers.Validate.needsDuckdb).toBe(true);
  });

  test.runIf(long)('are the same bytes when built again', async () => {
    const again = await bundleHandlers(catalogue, join(outside, 'again'));
    for (const stage of stageNames) {
      const read = (folder: string) => readFileSync(join(folder, 'index.mjs'), 'utf8');
      expect(read(again[stage].directory) === read(handlers[stage].directory)).toBe(true);
    }
  });
});

describe('the DuckDB layer', () => {
  test('holds the version that the product is tested with', () => {
    const locked = manifest('layers/duckdb/package-lock.json')['packages'] as unknown as {
      [path: string]: { version: string };
    };
    const version = manifest('package.json')['dependencies']['@duckdb/node-api'];
    expect(manifest('layers/duckdb/package.json')['dependencies']).toEqual({ '@duckdb/node-api': version });
    expect(locked['node_modules/@duckdb/node-bindings-linux-arm64'].version).toBe(version);
  });

  /** What npm would do, as a shell script. */
  async function layerWith(npm: string, name: string) {
    const commands = mkdtempSync(join(outside, 'commands-'));
    writeFileSync(join(commands, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${commands}:${process.env['PATH']}`);
    try {
      return await duckdbLayer(join(outside, name));
    } finally {
      vi.unstubAllEnvs();
    }
  }

  test('is fetched for arm64 once, and found again without npm', async () => {
    const built = await layerWith('mkdir node_modules && echo "$@" > node_modules/asked-for', 'fetched');
    expect(readFileSync(join(built.directory, 'nodejs/node_modules/asked-for'), 'utf8')).toMatch(
      /^ci --os=linux --cpu=arm64 --libc=glibc /,
    );
    expect(await layerWith('exit 1', 'fetched')).toEqual(built);
  });

  test('that npm cannot fetch is an error that says what to do, and leaves nothing behind', async () => {
    const layer = layerWith('echo "npm error code ENOTFOUND" >&2; exit 1', 'unreachable');
    await expect(layer).rejects.toThrow(/first build needs a package registry.*npm error code ENOTFOUND/);
    await expect(layer).rejects.toMatchObject({ name: 'LayerNotBuilt' });
    expect(readdirSync(join(outside, 'unreachable'))).toEqual([]);
  });
});
