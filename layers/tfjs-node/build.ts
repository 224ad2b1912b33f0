/**
 * Lays tfjs-node out for a container image: `node layers/tfjs-node/build.ts DIRECTORY [--python PYTHON]` makes
 * `DIRECTORY/nodejs/node_modules`, which the image puts on NODE_PATH (under `/opt`, as a layer lies). It is about 1.5 GB, too large for a
 * Lambda layer, and faster than WebAssembly only for networks much larger than those here: nothing depends on it.
 *
 * The package's own install script downloads a library of TensorFlow that fits Node up to 20. So its scripts are not run; its binding
 * is compiled against the headers and the library in the `tensorflow-cpu` wheel of the Python given, the same version that the
 * conformance run compares with. Needs that wheel, a C++ compiler and make, on the machine type that it shall run on.
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const manifests = ['package.json', 'package-lock.json'];

/** Builds aside and moves the result into place whole. Throws where npm, the compiler or the wheel fails, with its last words. */
export async function buildTfjsNode(directory: string, python: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const aside = await mkdtemp(join(directory, 'unfinished-'));
  try {
    const cwd = join(aside, 'nodejs');
    await mkdir(cwd);
    for (const name of manifests) await copyFile(join(import.meta.dirname, name), join(cwd, name));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
    const tfjs = join(cwd, 'node_modules', '@tensorflow', 'tfjs-node');
    await copyTensorflow(await wheelOf(python), join(tfjs, 'deps'));
    await compileBinding(tfjs);
    const target = join(directory, 'nodejs');
    await rm(target, { recursive: true, force: true });
    await rename(cwd, target);
    return target;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Where the wheel's files are. */
async function wheelOf(python: string): Promise<string> {
  const find = 'import importlib.util; print(importlib.util.find_spec("tensorflow").submodule_search_locations[0])';
  const { stdout } = await run(python, ['-c', find]);
  return stdout.trim();
}

/** The wheel's headers and library, under the names that the binding asks for. */
async function copyTensorflow(wheel: string, deps: string): Promise<void> {
  const library = join(deps, 'lib');
  await mkdir(library, { recursive: true });
  await cp(join(wheel, 'include'), join(deps, 'include'), { recursive: true });
  const names = [
    ['libtensorflow_cc.so.2', ['libtensorflow.so', 'libtensorflow_cc.so.2']],
    ['libtensorflow_framework.so.2', ['libtensorflow_framework.so', 'libtensorflow_framework.so.2']],
  ] as const;
  for (const [from, aliases] of names) {
    const [first, second] = aliases;
    await copyFile(join(wheel, from), join(library, second));
    await run('ln', ['-sf', second, first], { cwd: library });
  }
}

async function compileBinding(tfjs: string): Promise<void> {
  const settings = ['--napi_build_version=8', '--module_name=tfjs_binding', '--module_path=lib/napi-v8'];
  const env = { ...process.env, CXXFLAGS: '-std=c++17' };
  await run('npx', ['--yes', 'node-gyp', 'rebuild', ...settings], { cwd: tfjs, env, maxBuffer: 2 ** 26 });
  await mkdir(join(tfjs, 'lib', 'napi-v8'), { recursive: true });
  await copyFile(
    join(tfjs, 'build', 'Release', 'tfjs_binding.node'),
    join(tfjs, 'lib', 'napi-v8', 'tfjs_binding.node'),
  );
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { python: { type: 'string', default: 'python3' } },
  });
  if (positionals.length !== 1)
    throw new Error('Name the directory to build in: node layers/tfjs-node/build.ts DIRECTORY');
  console.log(await buildTfjsNode(resolve(positionals[0]), values.python));
}
