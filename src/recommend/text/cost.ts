/** Money set aside before it is spent, so that requests under way together cannot pass the cap together. */
export type CostMeter = {
  /** Sets an amount aside, or says that it does not fit. */
  reserve(usd: number): boolean;
  /** What an amount set aside has really cost. */
  settle(reservedUsd: number, costUsd: number): void;
  spentUsd(): number;
};

/** A meter with a cap in dollars. */
export function costMeter(capUsd: number): CostMeter {
  let spent = 0;
  let reserved = 0;
  return {
    reserve(usd) {
      if (spent + reserved + usd > capUsd) return false;
      reserved += usd;
      return true;
    },
    settle(reservedUsd, costUsd) {
      reserved -= reservedUsd;
      spent += costUsd;
    },
    spentUsd: () => spent,
  };
}
