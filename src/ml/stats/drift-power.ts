import type { Estimate } from '../metrics/metric.ts';
import type { Random } from '../random.ts';
import { countBins, quantileEdges } from './bins.ts';
import { ecdf, sortedPresent } from './ecdf.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { moments } from './moments.ts';
import { type PowerOptions, simulatedMinimumShift, simulatedPower } from './power.ts';
import { psi, psiPValue } from './psi.ts';
import { zTest } from './z-test.ts';

/** The tests of a shift in a number. */
export type DriftTest = keyof typeof pValueOf;

/** A planned look: a reference sample of `referenceRows` against `rows` current ones. */
export type PlannedLook = { test: DriftTest; referenceRows: number; rows: number };

/**
 * How often a test would notice that a column has moved by `shiftSd` of its standard deviations, given what the column looks like:
 * both samples are drawn anew, with repeats, from `values` (NaN counts as missing). Where `shiftSd` is 0 it is the chance of a
 * false alarm.
 */
export function driftPower(
  values: Float64Array,
  { shiftSd, ...look }: PlannedLook & { shiftSd: number },
  options: PowerOptions,
): Estimate {
  const draw = resampling(values, look);
  return simulatedPower((stream) => draw(stream, shiftSd), options);
}

/** The smallest shift, in standard deviations of the column, that the test notices with chance `power`; Infinity above 3. */
export function minimumDetectableDrift(
  values: Float64Array,
  look: PlannedLook,
  options: PowerOptions & { power: number },
): number {
  return simulatedMinimumShift(resampling(values, look), { ...options, upTo: 3 });
}

function resampling(values: Float64Array, { test, referenceRows, rows }: PlannedLook) {
  const present = sortedPresent(values);
  const { sd } = moments(present);
  return (stream: Random, shiftSd: number): number => {
    const reference = Float64Array.from({ length: referenceRows }, () => stream.choice(present));
    const current = Float64Array.from({ length: rows }, () => stream.choice(present) + shiftSd * sd);
    return pValueOf[test](reference, current);
  };
}

const pValueOf = {
  z: (reference: Float64Array, current: Float64Array) => zTest(moments(reference), moments(current)).pValue,
  kolmogorovSmirnov: (reference: Float64Array, current: Float64Array) =>
    kolmogorovSmirnov(ecdf(reference.sort()), current.sort()).pValue,
  psi: (reference: Float64Array, current: Float64Array) => {
    const edges = quantileEdges(reference.sort(), 10);
    const index = psi(countBins(reference, edges), countBins(current, edges));
    return psiPValue(index, edges.length + 1, reference.length, current.length);
  },
};
