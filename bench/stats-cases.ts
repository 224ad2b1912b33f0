/** What is measured: the same data and the same number of resamples on both sides, one thread. */
export type StatisticsCase = {
  name: string;
  task: 'psi' | 'kolmogorov-smirnov' | 'bootstrap-regression' | 'bootstrap-auc';
  rows: number;
  /** Columns made, and how often each is gone over: a hundred columns of a million rows would fill a laptop's memory. */
  columns: number;
  repeats: number;
  resamples: number;
  peer: 'numpy' | 'scipy' | 'scikit-learn';
};

export const statisticsCases: StatisticsCase[] = [
  {
    name: 'PSI, 100 features × 1M rows',
    task: 'psi',
    rows: 1_000_000,
    columns: 10,
    repeats: 10,
    resamples: 0,
    peer: 'numpy',
  },
  {
    name: 'Kolmogorov–Smirnov, 10 features × 1M rows',
    task: 'kolmogorov-smirnov',
    rows: 1_000_000,
    columns: 10,
    repeats: 1,
    resamples: 0,
    peer: 'scipy',
  },
  {
    name: 'bootstrap of R², MAE, RMSE, 20k rows × 1,000',
    task: 'bootstrap-regression',
    rows: 20_000,
    columns: 1,
    repeats: 1,
    resamples: 1000,
    peer: 'numpy',
  },
  {
    name: 'bootstrap of ROC AUC, 20k rows × 1,000',
    task: 'bootstrap-auc',
    rows: 20_000,
    columns: 1,
    repeats: 1,
    resamples: 1000,
    peer: 'scikit-learn',
  },
];

/** What one side reports: processor seconds, peak of resident memory, and its figures, to be compared with the other's. */
export type MeasuredStatistics = { cpuSeconds: number; peakMb: number; figures: number[] };
