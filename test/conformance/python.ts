import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What each suite installs from the Python package index. */
const packages = ['lightgbm', 'xgboost', 'scikit-learn', 'scipy', 'shap', 'numpy', 'pandas'];

/**
 * The Python interpreter of a virtual environment that holds the libraries compared with; made on the first run, reused later.
 * BORDEREAU_CONFORMANCE_VENV names an existing environment. Throws, saying what is missing, when there is no Python or no index.
 */
export function pythonWithPeers(): string {
  const folder = process.env.BORDEREAU_CONFORMANCE_VENV ?? join(tmpdir(), 'bordereau-conformance');
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) {
    console.log(`Making a virtual environment in ${folder} …`);
    run('python3', ['-m', 'venv', folder], 'Conformance needs Python 3 with the module venv on the path');
  }
  const imports = 'import lightgbm, xgboost, sklearn, scipy, shap, pandas';
  if (spawnSync(python, ['-c', imports]).status !== 0) {
    console.log(`Installing ${packages.join(', ')} …`);
    run(python, ['-m', 'pip', 'install', '--quiet', ...packages], 'The Python package index could not be reached');
  }
  return python;
}

/** Runs a program and shows what it prints. Throws `failure`, with its last words, when it fails. */
export function run(program: string, args: string[], failure: string): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (stdout) console.log(stdout.trim());
  if (status !== 0) throw new Error(`${failure}: ${error?.message ?? stderr.trim().split('\n').slice(-3).join(' | ')}`);
}
