import { ensureBinary } from '../metrics/binary.ts';
import { expectedCalibrationError } from '../metrics/calibration-error.ts';
import { accuracyAt, falsePositiveRateAt, recallAt } from '../metrics/confusion.ts';
import type { Estimate, Metric } from '../metrics/metric.ts';
import { mae } from '../metrics/regression.ts';
import { fairnessTable, type FairnessTable, type FairnessTask, type Gap } from './group-table.ts';
import { actualToExpected, meanPrediction, selectionRate } from './measures.ts';

/** `binary`: labels 0/1 and probabilities. `regression`: any number; the threshold is what the business calls high. */
export type FairnessKind = 'binary' | 'regression';

export type FairnessAssessment = {
  table: FairnessTable<string>;
  /** Between the groups selected most and least often: demographic parity difference, and ratio (disparate impact). */
  demographicParity?: Gap;
  /** The larger gap of true and false positive rates (Hardt, Price and Srebro, 2016). Binary labels only. */
  equalizedOdds?: { difference: Estimate; ratio: Estimate };
  /** Standard deviation over mean of the groups' mean predictions, each group counted once. */
  groupMeanVariation: number;
};

/**
 * Fairness of decisions `predicted ≥ threshold` over one sensitive feature: selection, error, calibration and A/E by group
 * with gaps. Figures only: what is acceptable is declared elsewhere (`fairnessFindings`).
 */
export function assessFairness(
  kind: FairnessKind,
  threshold: number,
  task: Omit<FairnessTask<string>, 'metrics'>,
): FairnessAssessment {
  if (kind === 'binary') ensureBinary(task.actual);
  const table = fairnessTable<string>({ ...task, metrics: measuresOf(kind, threshold) });
  const means = table.groups.map(({ metrics }) => metrics.meanPrediction.value);
  const { selectionRate: demographicParity, truePositiveRate, falsePositiveRate } = table.gaps;
  const odds = [truePositiveRate, falsePositiveRate].filter((gap) => gap !== undefined);
  return {
    table,
    ...(demographicParity && { demographicParity }),
    ...(odds.length > 0 && {
      equalizedOdds: {
        difference: odds.map((gap) => gap.difference).reduce((a, b) => (b.value > a.value ? b : a)),
        ratio: odds.map((gap) => gap.ratio).reduce((a, b) => (b.value < a.value ? b : a)),
      },
    }),
    groupMeanVariation: variation(means),
  };
}

function measuresOf(kind: FairnessKind, threshold: number): Record<string, Metric> {
  const common = { selectionRate: selectionRate(threshold), meanPrediction, actualToExpected };
  if (kind === 'regression') return { ...common, meanAbsoluteError: mae };
  return {
    ...common,
    accuracy: accuracyAt(threshold),
    truePositiveRate: recallAt(threshold),
    falsePositiveRate: falsePositiveRateAt(threshold),
    calibrationError: expectedCalibrationError(),
  };
}

/** What is acceptable; a limit that is left out is not checked. */
export type FairnessLimits = {
  /** Demographic parity difference above this is for review. The predecessors': 0.1. */
  maxSelectionDifference?: number;
  /** Demographic parity ratio below this is a violation. The four-fifths rule: 0.8. */
  minSelectionRatio?: number;
  /** Equalized odds difference above this is for review. */
  maxOddsDifference?: number;
  /** Variation of the groups' mean predictions above this is a violation. The predecessors': 0.15. */
  maxGroupMeanVariation?: number;
};

export type FairnessFinding = {
  feature: string;
  limit: keyof FairnessLimits;
  severity: 'review' | 'violation';
  value: number;
  allowed: number;
  /** True where the whole interval lies beyond the limit, so that chance is no explanation; absent without an interval. */
  isCertain?: boolean;
};

/** The limits that an assessment breaks; empty where it keeps all of them. */
export function fairnessFindings(assessment: FairnessAssessment, limits: FairnessLimits): FairnessFinding[] {
  const { table, demographicParity, equalizedOdds, groupMeanVariation } = assessment;
  const findings: FairnessFinding[] = [];
  const check = (limit: keyof FairnessLimits, severity: FairnessFinding['severity'], figure?: Estimate | number) => {
    const allowed = limits[limit];
    if (allowed === undefined || figure === undefined) return;
    const isBeyond = (value: number) => (limit.startsWith('min') ? value < allowed : value > allowed);
    const value = typeof figure === 'number' ? figure : figure.value;
    if (!isBeyond(value)) return;
    findings.push({
      feature: table.feature,
      limit,
      severity,
      value,
      allowed,
      ...(typeof figure === 'object' && { isCertain: isBeyond(figure.low) && isBeyond(figure.high) }),
    });
  };
  check('maxSelectionDifference', 'review', demographicParity?.difference);
  check('minSelectionRatio', 'violation', demographicParity?.ratio);
  check('maxOddsDifference', 'review', equalizedOdds?.difference);
  check('maxGroupMeanVariation', 'violation', groupMeanVariation);
  return findings;
}

function variation(means: number[]): number {
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const squares = means.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / means.length) / Math.abs(mean);
}
