/**
 * Trees against their peers: `node bench/trees.ts [--python PYTHON] [--only TEXT]`. Everything on one thread, in processor seconds
 * (binning included), so that other work on the machine disturbs less. Peers that the Python given does not have are left out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { begin, print } from './table.ts';
import { type Measured, type TreeCase, treeCases } from './trees-cases.ts';

const { values } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, only: { type: 'string', default: '' } },
});
const ours = fileURLToPath(new URL('trees-ours.ts', import.meta.url));
const theirs = fileURLToPath(new URL('trees_peers.py', import.meta.url));
const peersOf: Record<TreeCase['task'], string[]> = {
  boosting: ['lightgbm', 'lightgbm-quantised', 'xgboost', 'scikit-learn'],
  forest: ['scikit-learn'],
  predict: ['lightgbm', 'xgboost'],
  shap: ['lightgbm', 'xgboost'],
};

begin();
for (const [index, measured] of treeCases.entries()) {
  if (!measured.name.includes(values.only)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-bench-'));
  const own = measure(process.execPath, [ours, String(index), folder]);
  if (own !== null) show(measured, own, own);
  for (const peer of peersOf[measured.task]) {
    if (peer === 'scikit-learn' && measured.outputs > 1) continue;
    const other = measure(values.python, [theirs, peer, JSON.stringify(measured), folder]);
    if (own !== null && other !== null) show(measured, other, own);
  }
  rmSync(folder, { recursive: true });
}

function measure(program: string, args: string[]): Measured | null {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
  console.error(`${args.slice(0, 2).join(' ')}: left out, ${stderr.trim().split('\n').at(-1) ?? 'it failed'}`);
  return null;
}

function show({ name, task }: TreeCase, side: Measured, own: Measured): void {
  print({
    case: name,
    side: side.name,
    cpuSeconds: side.cpuSeconds,
    ratio: side === own ? undefined : own.cpuSeconds / side.cpuSeconds,
    figure: task === 'predict' || task === 'shap' ? '' : `RMSE ${side.rmse.toFixed(4)}`,
    peakMb: side.peakMb,
  });
}
