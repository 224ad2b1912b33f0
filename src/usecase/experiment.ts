import * as z from 'zod';

const percent = z.number().gt(0).max(100);
const share = z.number().min(0).max(1);

/** The part `experiment` of a declaration that decides single cases: how a challenger gets live traffic, and what takes it back. */
export const experimentSchema = z.strictObject({
  /** So many percent of the keys for so many hours; the last step lasts until the end. */
  steps: z.array(z.strictObject({ percent, hours: z.number().gt(0) })).min(1),
  guards: z.strictObject({
    /** No guard looks before either arm has decided so many: every decision is a look, and with fewer chance alone would break one. */
    leastDecisions: z.number().int().min(1),
    /** By how much the share of errors may be above that of control. */
    errorShare: share,
    /** The share of decisions that may take longer than this. */
    slow: z.strictObject({ milliseconds: z.number().gt(0), share }),
    /** By how much the share of positive decisions may differ from that of control. */
    positiveShare: share,
  }),
  test: z.strictObject({
    /** The chance of ever calling a difference that is not there. */
    significance: z.number().gt(0).lt(1),
    /** The log odds ratio that matters. */
    effectLogOdds: z.number().gt(0),
  }),
});
