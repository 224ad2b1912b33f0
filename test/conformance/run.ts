/**
 * Compares this product with the libraries of the field on fresh random cases: tree models both ways, statistics, metrics, GLM,
 * calibration and fairness against theirs, .tflite files both ways, Delta tables by a stock reader. Needs Python 3 and, on the first run, the Python
 * package index. `npm run conformance -- [--seed N]`; exit code 1 where a comparison fails, 2 where there is nothing to compare with.
 */
import { parseArgs } from 'node:util';
import { compareWithDeltalake } from '../lake/conformance.ts';
import { compareWithLibraries } from './libraries.ts';
import { metrics } from './metrics.ts';
import { models } from './models.ts';
import { compareWith, peers } from './peers.ts';
import { pythonWithPeers } from './python.ts';
import { statistics } from './statistics.ts';
import { compareWithTflite } from './tflite.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));

try {
  const python = pythonWithPeers();
  console.log(`Seed ${seed}; run again with --seed ${seed}`);
  const failures = [
    ...peers.flatMap((peer) => compareWith(peer, python, seed)),
    ...compareWithLibraries([...statistics, ...metrics, ...models], python, seed),
    ...compareWithTflite(python, seed),
    ...(await compareWithDeltalake(python)),
  ];
  for (const failure of failures) console.error(failure);
  console.log(failures.length === 0 ? 'All comparisons hold.' : `${failures.length} comparisons failed.`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
