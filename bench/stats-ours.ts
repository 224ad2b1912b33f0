/**
 * Our side of one case, in a process of its own so that its peak memory can be told: `node bench/stats-ours.ts CASE FOLDER`.
 * Writes the data into the folder for the peer, and the measurement to standard output.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from '../src/ml/metrics/bootstrap.ts';
import { mae, r2, rmse } from '../src/ml/metrics/regression.ts';
import { rocAuc } from '../src/ml/metrics/roc.ts';
import { random } from '../src/ml/random.ts';
import { countBins, quantileEdges } from '../src/ml/stats/bins.ts';
import { ecdf, sortedPresent } from '../src/ml/stats/ecdf.ts';
import { kolmogorovSmirnov } from '../src/ml/stats/kolmogorov-smirnov.ts';
import { psi } from '../src/ml/stats/psi.ts';
import { type MeasuredStatistics, statisticsCases } from './stats-cases.ts';

const [caseIndex, folder] = process.argv.slice(2);
const { task, rows, columns, repeats, resamples } = statisticsCases[Number(caseIndex)];
const r = random('bench');
const size = rows * columns;
// the first array is the reference, or the truth; the second what is held against it
const first = Float64Array.from({ length: size }, () => Math.exp(r.normal() / 2));
const second = first.map((value) =>
  task === 'bootstrap-regression' ? value + r.normal(0, 0.3) : Math.exp(r.normal(0.02, 0.5)),
);
if (task === 'bootstrap-auc') {
  second.set(first.map((value) => value + r.normal()));
  first.set(first.map((value) => Number(value > 1)));
}
writeFileSync(join(folder, 'first.bin'), first);
writeFileSync(join(folder, 'second.bin'), second);

const column = (values: Float64Array, c: number) => values.subarray(c * rows, (c + 1) * rows);
const tasks: Record<typeof task, () => number[]> = {
  psi: () =>
    eachColumn((c) => {
      const reference = column(first, c);
      const edges = quantileEdges(sortedPresent(reference), 10);
      return psi(countBins(reference, edges), countBins(column(second, c), edges));
    }),
  'kolmogorov-smirnov': () =>
    eachColumn(
      (c) => kolmogorovSmirnov(ecdf(sortedPresent(column(first, c))), sortedPresent(column(second, c))).statistic,
    ),
  'bootstrap-regression': () => intervals({ r2, mae, rmse }),
  'bootstrap-auc': () => intervals({ rocAuc }),
};

const before = process.cpuUsage();
const figures = tasks[task]();
const { user, system } = process.cpuUsage(before);
const measured: MeasuredStatistics = {
  cpuSeconds: (user + system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
  figures,
};
console.log(JSON.stringify(measured));

function eachColumn(figure: (c: number) => number): number[] {
  return Array.from({ length: columns * repeats }, (_, i) => figure(i % columns)).slice(0, columns);
}

/** Value, low and high of every metric. */
function intervals(metrics: Parameters<typeof bootstrap>[0]): number[] {
  return Object.values(bootstrap(metrics, first, second, { seed: 1, resamples })).flatMap(({ value, low, high }) => [
    value,
    low,
    high,
  ]);
}
