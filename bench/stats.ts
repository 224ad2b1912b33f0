/**
 * Statistics against numpy, scipy and scikit-learn: `node bench/stats.ts [--python PYTHON] [--only TEXT]`. Everything on one thread, in
 * processor seconds. The figures of both sides are compared: statistics must agree, bootstrap intervals within their own chance.
 * A peer that the Python given does not have is left out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { begin, print } from './table.ts';
import { type MeasuredStatistics, type StatisticsCase, statisticsCases } from './stats-cases.ts';

const { values } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, only: { type: 'string', default: '' } },
});
const ours = fileURLToPath(new URL('stats-ours.ts', import.meta.url));
const theirs = fileURLToPath(new URL('stats_peers.py', import.meta.url));

begin();
for (const [index, measured] of statisticsCases.entries()) {
  if (!measured.name.includes(values.only)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-bench-'));
  const own = measure(process.execPath, [ours, String(index), folder]);
  if (own) show(measured, 'ours', own);
  const other = measure(values.python, [theirs, JSON.stringify(measured), folder]);
  if (own && other) show(measured, measured.peer, other, own);
  rmSync(folder, { recursive: true });
}

function measure(program: string, args: string[]): MeasuredStatistics | undefined {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as MeasuredStatistics;
  console.error(`${program}: left out, ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
  return undefined;
}

function show({ name }: StatisticsCase, side: string, measured: MeasuredStatistics, own?: MeasuredStatistics): void {
  print({
    case: name,
    side,
    cpuSeconds: measured.cpuSeconds,
    ratio: own && own.cpuSeconds / measured.cpuSeconds,
    figure: own && `differs by ${largestDifference(own.figures, measured.figures).toExponential(1)} at most`,
    peakMb: measured.peakMb,
  });
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}
