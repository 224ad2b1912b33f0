import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The libraries compared with, each in one version. */
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Succeeds where every line of the requirements is installed in its version. */
const check = `
import importlib.metadata, sys
for line in open(sys.argv[1]):
    if not line.startswith("#"):
        name, version = line.strip().split("==")
        assert importlib.metadata.version(name) == version, name`;

/**
 * The Python interpreter of a virtual environment that holds the libraries compared with; made on the first run, reused later.
 * BORDEREAU_CONFORMANCE_VENV names an existing environment. Throws, saying what is missing, when there is no Python or no index.
 */
export function pythonWithPeers(): string {
  const folder = process.env.BORDEREAU_CONFORMANCE_VENV ?? join(tmpdir(), 'bordereau-conformance');
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) {
    console.log(`Making a virtual environment in ${folder} …`);
    run('python3', ['-m', 'venv', folder], 'Conformance needs Python 3.11 or newer with the module venv on the path');
  }
  if (spawnSync(python, ['-c', check, requirements]).status !== 0) {
    console.log('Installing the libraries from the Python package index …');
    run(
      python,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements],
      'The libraries could not be installed; the Python package index must be within reach',
    );
  }
  return python;
}

/** Runs a program and shows what it prints. Throws `failure`, with its last words, when it fails. */
export function run(program: string, args: string[], failure: string): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (stdout) console.log(stdout.trim());
  if (status !== 0) throw new Error(`${failure}: ${error?.message ?? stderr.trim().split('\n').slice(-8).join(' | ')}`);
}
