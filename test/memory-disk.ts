import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';

const memoryDisk = '/dev/shm';
const leastFreeBytes = 4e9;

/** What a test writes does not outlive the run: where memory serves as a disk, none waits for the other one. */
export default function setup(): (() => void) | undefined {
  if (!existsSync(memoryDisk)) return undefined;
  const { bavail, bsize } = statfsSync(memoryDisk);
  if (bavail * bsize < leastFreeBytes) return undefined;
  const directory = mkdtempSync(`${memoryDisk}/bordereau-tests-`);
  process.env['TMPDIR'] = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}
