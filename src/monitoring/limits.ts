import type { Declaration } from '../usecase/declaration.ts';

/** The limits that a use case declares. */
export type MonitorPolicy = Declaration['monitor'];

/**
 * The limits that are the same for every use case. They are the customary ones of the field; what a business wants to set is
 * declared in the use case.
 */
export const standardLimits = {
  /** A stability index beyond which the population is another one. */
  psiCritical: 0.4,
  /** Rise of the share of missing values in a column, and share of rows in quarantine, that speak of bad data. */
  missingShare: 0.05,
  quarantinedShare: 0.1,
  /** Change of the share of rows that have a flag. */
  flagShare: 0.1,
  /** Rise of the mean absolute error over that of the frozen test set, and distance of A/E from 1. */
  errorRise: 0.1,
  imbalance: 0.1,
  /** So many times a declared error limit is critical. */
  criticalFactor: 1.5,
  /** Chance with which the minimum detectable shift is noticed. */
  power: 0.8,
  /** Groups of fewer rows are not shown. */
  minGroupRows: 11,
} as const;
