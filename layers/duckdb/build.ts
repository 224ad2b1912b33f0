/** Lays DuckDB's native binding out as a Lambda layer, whatever machine this runs on: npm fetches the one for linux and arm64. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export type Layer = {
  /** Holds `nodejs/node_modules/@duckdb/…`. */
  directory: string;
  /** Of what the layer is made from. */
  hash: string;
};

/** npm could not fetch the layer's packages. */
export class LayerNotBuilt extends Error {
  override readonly name = 'LayerNotBuilt';
}

/**
 * The layer, built below `directory` unless the same one is there already: the first time needs a package registry (26 MB),
 * later ones nothing. Throws `LayerNotBuilt`.
 */
export async function duckdbLayer(directory: string): Promise<Layer> {
  const sources = [import.meta.filename, ...manifests.map((name) => join(import.meta.dirname, name))];
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const layer = {
    directory: join(directory, `duckdb-${hash.copy().digest('hex').slice(0, 16)}`),
    hash: hash.digest('hex'),
  };
  if (!existsSync(layer.directory)) await install(directory, layer.directory);
  return layer;
}

const manifests = ['package.json', 'package-lock.json'];

/** Installs aside and moves the result into place whole, so that an interrupted build leaves nothing that looks finished. */
async function install(directory: string, target: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const aside = await mkdtemp(join(directory, 'unfinished-'));
  try {
    const cwd = join(aside, 'nodejs');
    await mkdir(cwd);
    for (const name of manifests) await copyFile(join(import.meta.dirname, name), join(cwd, name));
    const platform = ['--os=linux', '--cpu=arm64', '--libc=glibc'];
    const quiet = [
      '--ignore-scripts',
      '--prefer-offline',
      '--fetch-retries=1',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    await promisify(execFile)('npm', ['ci', ...platform, ...quiet], { cwd, shell: process.platform === 'win32' });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    // another build finished first
    if (existsSync(target)) return;
    const { stderr } = error as { stderr?: string };
    throw new LayerNotBuilt(
      `The layer of layers/duckdb could not be built: npm ci for linux-arm64 failed. The first build needs a package registry ` +
        `(or a filled npm cache); connect and run it again. npm said: ${stderr?.trim() ?? String(error)}`,
    );
  }
}
