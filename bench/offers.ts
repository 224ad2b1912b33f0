/**
 * offer-prioritization: `node bench/offers.ts [--large]`. Generates 50,000 members (with --large also 500,000, in ten parts), builds
 * their features and labels at one reference date from Parquet, and by the stages in the buckets that are declared, one after the
 * other; runs all machines from their files to the reports, and with that model trains, scores and explains once more alone; trains
 * the anchor of 5,000 members, alone and through the stages. Each task is a process of its own; memory is its peak.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { MeasuredOffers } from './offers-ours.ts';
import { begin, print as line } from './table.ts';

const { values } = parseArgs({ options: { large: { type: 'boolean', default: false } } });
const ours = fileURLToPath(new URL('offers-ours.ts', import.meta.url));

begin();
inFolder((folder) => {
  print('generate 50,000 members', measure('generate', folder, 50_000));
  measure('silver', folder, 50_000);
  print('features and labels of 50,000', measure('features', folder, 50_000));
  measure('lake', folder, 50_000);
  print('the same in buckets, Plan to Append', measure('buckets', folder, 50_000));
  rmSync(join(folder, 'state'), { recursive: true });
  print('files to reports, 50,000 members', measure('whole', folder, 50_000));
  print('training 16 outputs', measure('training', folder, 50_000));
  print('scoring 50,000 members', measure('scoring', folder, 50_000));
  print('SHAP of five offers each', measure('shap', folder, 50_000));
});
inFolder((folder) => {
  measure('generate', folder, 5000);
  measure('silver', folder, 5000);
  print('16 outputs, 5,000 members, seed 42', measure('quality', folder, 5000));
  print('the same through the stages', measure('whole', folder, 5000));
});
if (values.large) {
  inFolder((folder) => {
    for (let first = 0; first < 500_000; first += 50_000) {
      measure('generate', folder, 50_000, first);
      measure('silver', folder, 50_000, first);
    }
    print('features and labels of 500,000', measure('features', folder, 500_000));
    measure('lake', folder, 500_000);
    print('the same in buckets, Plan to Append', measure('buckets', folder, 500_000));
  });
}

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-bench-'));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(task: string, folder: string, members: number, first = 0): MeasuredOffers {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ours, task, folder, String(members), String(first)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${task}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as MeasuredOffers;
}

function print(task: string, { seconds, cpuSeconds, peakMb, note }: MeasuredOffers): void {
  const figure = [`${seconds.toFixed(1)} s by the clock`, note].filter((part) => part !== '').join('; ');
  line({ case: `offer-prioritization: ${task}`, side: 'ours', cpuSeconds, figure, peakMb });
}
