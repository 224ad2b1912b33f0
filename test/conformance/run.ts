/**
 * Compares this product with the libraries of the field on fresh random cases, both ways. Needs Python 3 and, on the first run,
 * the Python package index. `node test/conformance/run.ts [--seed N]`
 */
import { parseArgs } from 'node:util';
import { compareWith, peers } from './peers.ts';
import { pythonWithPeers } from './python.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));

try {
  const python = pythonWithPeers();
  console.log(`Seed ${seed}; run again with --seed ${seed}`);
  const failures = peers.flatMap((peer) => compareWith(peer, python, seed));
  for (const failure of failures) console.error(failure);
  console.log(failures.length === 0 ? 'All comparisons hold.' : `${failures.length} comparisons failed.`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
