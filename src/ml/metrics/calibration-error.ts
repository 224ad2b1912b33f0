import { ensureSameRows, ensureWhole } from '../ensure.ts';
import { equalExposureBins } from './actual-expected.ts';
import { ensureBinary, ensureProbabilities } from './binary.ts';
import type { Estimate, Metric } from './metric.ts';
import { proportion } from './proportion.ts';

/** `uniform` bins are equally wide in probability and hold their upper edge, `quantile` bins (the default) hold about equally many rows. */
export type CalibrationBins = { bins?: number; strategy?: 'uniform' | 'quantile' };

export type CalibrationPoint = {
  rows: number;
  exposure: number;
  meanPredicted: number;
  /** Share of positives with Wilson's interval on the rows of the bin. */
  observed: Estimate;
};

/** The calibration curve of a probability, bins ascending, empty ones left out. */
export function calibrationCurve(
  actual: Float64Array,
  predicted: Float64Array,
  options: CalibrationBins & { weight?: Float64Array } = {},
): CalibrationPoint[] {
  const { weight } = options;
  const { bins, codes } = binsOf(actual, predicted, options);
  const { rows, exposure, positives, expected } = sumsByBin(actual, predicted, codes, bins, weight);
  return Array.from(rows.keys())
    .filter((bin) => exposure[bin] > 0)
    .map((bin) => ({
      rows: rows[bin],
      exposure: exposure[bin],
      meanPredicted: expected[bin] / exposure[bin],
      observed: proportion((rows[bin] * positives[bin]) / exposure[bin], rows[bin]),
    }));
}

/**
 * Expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015): mean |share of positives − mean probability| over
 * the bins, weighted by exposure. It is biased upwards on few rows: read it with its bootstrap interval.
 * @default 10 quantile bins
 */
export function expectedCalibrationError(options: CalibrationBins = {}): Metric {
  return gapMetric(options, (gaps, shares) => gaps.reduce((sum, gap, bin) => sum + gap * shares[bin], 0));
}

/** Maximum calibration error: the largest |share of positives − mean probability| of any bin that is not empty. */
export function maximumCalibrationError(options: CalibrationBins = {}): Metric {
  return gapMetric(options, (gaps) => Math.max(...gaps));
}

function gapMetric(options: CalibrationBins, summarise: (gaps: number[], shares: number[]) => number): Metric {
  const metric: Metric = (actual, predicted, weight) => metricOver(actual, predicted)(weight);
  const metricOver = (actual: Float64Array, predicted: Float64Array) => {
    const { bins, codes } = binsOf(actual, predicted, options);
    return (weight?: Float64Array) => {
      ensureSameRows({ actual, weight });
      const { exposure, positives, expected } = sumsByBin(actual, predicted, codes, bins, weight);
      const total = exposure.reduce((sum, value) => sum + value, 0);
      const filled = Array.from(exposure.keys()).filter((bin) => exposure[bin] > 0);
      return summarise(
        filled.map((bin) => Math.abs(positives[bin] - expected[bin]) / exposure[bin]),
        filled.map((bin) => exposure[bin] / total),
      );
    };
  };
  metric.over = metricOver;
  return metric;
}

function binsOf(
  actual: Float64Array,
  predicted: Float64Array,
  { bins = 10, strategy = 'quantile' }: CalibrationBins,
): { bins: number; codes: ArrayLike<number> } {
  ensureWhole('The number of bins', bins, 1);
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  ensureProbabilities(predicted);
  if (strategy === 'quantile') return { bins, codes: equalExposureBins(predicted, bins).codes };
  return { bins, codes: predicted.map((p) => Math.max(0, Math.ceil(p * bins) - 1)) };
}

function sumsByBin(
  actual: Float64Array,
  predicted: Float64Array,
  codes: ArrayLike<number>,
  bins: number,
  weight?: Float64Array,
) {
  const rows = new Float64Array(bins);
  const exposure = new Float64Array(bins);
  const positives = new Float64Array(bins);
  const expected = new Float64Array(bins);
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    rows[codes[i]]++;
    exposure[codes[i]] += w;
    positives[codes[i]] += w * actual[i];
    expected[codes[i]] += w * predicted[i];
  }
  return { rows, exposure, positives, expected };
}
