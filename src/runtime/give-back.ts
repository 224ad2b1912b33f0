import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Below this the process is small, and collecting costs more than it gives. */
const smallProcessBytes = 400e6;

let collect: ((options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void) | undefined;

/**
 * Gives back the memory that a stage has left behind. Its tables lie outside of the heap of JavaScript, which therefore sees no reason
 * to collect them: each stage would start on top of what all before it have used. On AWS each stage has a process of its own.
 */
export function giveBackMemory(): void {
  if (process.memoryUsage.rss() < smallProcessBytes) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as NonNullable<typeof collect>;
  }
  // as when there is no more to be had: an ordinary collection keeps the pages for later
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
