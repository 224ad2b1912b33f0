import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** For less than this, collecting costs more than it gives: a demo and a test run hundreds of small stages. */
const worthwhileBytes = 100e6;
/** So many times as long as the last collection nothing is collected: of a hundred short stages each would throw compiled code away. */
const rest = 20;

let collect: ((options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void) | undefined;
/** What was in use after the last collection. */
let keptBytes = 0;
let restsUntilMs = 0;

/**
 * Gives back the memory that a stage has left behind in this thread. Its tables lie outside of the heap of JavaScript, which therefore
 * sees little reason to collect them: each stage would start on top of what those before it have used. On AWS each has its own process.
 */
export function giveBackMemory(): void {
  const startedMs = performance.now();
  if (startedMs < restsUntilMs || bytesInUse() < keptBytes + worthwhileBytes) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as NonNullable<typeof collect>;
  }
  // as when there is no more to be had: an ordinary collection keeps the pages for later
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  keptBytes = bytesInUse();
  const endedMs = performance.now();
  restsUntilMs = endedMs + rest * (endedMs - startedMs);
}

function bytesInUse(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}
