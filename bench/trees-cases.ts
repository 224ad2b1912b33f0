import type { BoostingParameters, ForestParameters } from '../src/ml/trees/parameters.ts';

/** What is measured. Each case has the same rows, parameters and number of threads (one) on every side. */
export type TreeCase = {
  name: string;
  rows: number;
  columns: number;
  outputs: number;
  testRows: number;
} & (
  | { task: 'boosting'; parameters: BoostingParameters }
  | { task: 'forest'; parameters: ForestParameters }
  | { task: 'predict' | 'shap'; parameters: BoostingParameters }
);

const usual: BoostingParameters = { numLeaves: 31, learningRate: 0.05, lambdaL2: 1, minChildSamples: 20 };

export const treeCases: TreeCase[] = [
  {
    name: 'boosting 50k × 80, 200 rounds',
    task: 'boosting',
    rows: 50_000,
    columns: 80,
    outputs: 1,
    testRows: 20_000,
    parameters: { ...usual, iterations: 200 },
  },
  {
    name: 'boosting 500k × 40, 100 rounds',
    task: 'boosting',
    rows: 500_000,
    columns: 40,
    outputs: 1,
    testRows: 20_000,
    parameters: { ...usual, iterations: 100 },
  },
  {
    name: 'boosting 50k × 96, 16 outputs, 20 rounds',
    task: 'boosting',
    rows: 50_000,
    columns: 96,
    outputs: 16,
    testRows: 5_000,
    parameters: { ...usual, iterations: 20 },
  },
  {
    name: 'forest 50k × 80, 20 trees',
    task: 'forest',
    rows: 50_000,
    columns: 80,
    outputs: 1,
    testRows: 20_000,
    parameters: { trees: 20, minChildSamples: 5, featureFraction: 1 / 3 },
  },
  {
    name: 'scoring 100k × 80, 200 trees',
    task: 'predict',
    rows: 20_000,
    columns: 80,
    outputs: 1,
    testRows: 100_000,
    parameters: { ...usual, iterations: 200 },
  },
  {
    name: 'TreeSHAP 2k × 80, 200 trees',
    task: 'shap',
    rows: 20_000,
    columns: 80,
    outputs: 1,
    testRows: 2_000,
    parameters: { ...usual, iterations: 200 },
  },
];

/** What one side reports: processor seconds, the root mean square error on the test rows, and the peak of resident memory. */
export type Measured = { name: string; cpuSeconds: number; rmse: number; peakMb: number };
