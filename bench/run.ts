/**
 * Everything that is measured, as one table: `npm run bench [-- --python PYTHON] [-- --only PART]`. The parts are the other scripts
 * of this folder, one after the other, each in a process of its own; peers that are not installed are left out and named.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { header } from './table.ts';

const parts = ['trees', 'stats', 'dense', 'serve', 'offers', 'ingest'] as const;
/** The parts with peers in Python. */
const compared: ReadonlySet<string> = new Set(['trees', 'stats']);

const { values } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, only: { type: 'string', default: '' } },
});

header();
let failed = 0;
for (const part of parts.filter((name) => name.includes(values.only))) {
  const script = fileURLToPath(new URL(`${part}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...(compared.has(part) ? ['--python', values.python] : [])], {
    stdio: 'inherit',
    env: { ...process.env, BENCH_PART: part },
  });
  if (status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
