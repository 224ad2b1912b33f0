/** What a reader needs to know of a statistic to print it, rank by it and judge it. */
export type StatisticDescriptor = {
  /** Key in stored documents. */
  name: string;
  /** As people call it. */
  title: string;
  /** Which way points to more drift: a larger distance, a smaller p-value, or either tail. */
  direction: 'higher' | 'lower' | 'either';
  /** Smallest and largest possible value. */
  range: readonly [number, number];
  /** `feature` where it is measured in the feature's own unit. */
  unit: 'none' | 'feature';
};
