/** One reason to stop before training. Plain JSON; the evidence holds figures and their limits, never row values. */
export type LeakageFinding = {
  check: 'near-perfect-feature' | 'label-derived' | 'post-event-field' | 'duplicated-rows' | 'order-identifier';
  /** The feature it is about; absent where it is about whole rows. */
  feature?: string;
  /** One sentence: what was found and what to do. */
  message: string;
  evidence: Record<string, number | string>;
};
