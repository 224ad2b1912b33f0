import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { bundleHandlers } from '../../infra/artifacts.ts';
import { catalogueFromFolder, catalogueFromJson } from '../../src/usecase/catalogue.ts';
import { stageNames } from '../../src/stages.ts';

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
      expect(readdirSync(handlers[stage].directory).sort()).toEqual(['catalogue.json', 'index.mjs']);
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

  test('get the DuckDB layer exactly where their code asks for it', () => {
    for (const stage of stageNames) {
      const code = readFileSync(join(handlers[stage].directory, 'index.mjs'), 'utf8');
      expect(code.includes('require("@duckdb/node-api")')).toBe(handlers[stage].needsDuckdb);
      expect(code).not.toMatch(/from ["']@duckdb\//);
    }
    expect(handlers.Validate.needsDuckdb).toBe(true);
  });

  test('are the same bytes when built again', async () => {
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
});
