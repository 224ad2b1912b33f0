// Before the demo and the tests: installs what package-lock.json names, where it is not installed yet or has changed since.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const modifiedMs = (name) => statSync(new URL(name, root), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes this file last, so an interrupted installation is done again
if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json')) {
  console.error('Installing the packages of package-lock.json (once; about half a minute) …');
  const npm = spawnSync('npm', ['ci', '--loglevel=error', '--no-progress'], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(
      'npm ci failed; the lines above say why. It needs npm ≥ 10 and a package registry or a filled cache.',
    );
    process.exit(npm.status ?? 1);
  }
}
