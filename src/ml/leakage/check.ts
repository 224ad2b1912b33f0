import { ensureSameRows } from '../ensure.ts';
import { takeRows, type Matrix } from '../matrix.ts';
import { duplicatedRows } from './duplicate-rows.ts';
import type { LeakageFinding } from './finding.ts';
import { labelDerivedFeatures, type LabelDerivedLimits } from './label-derived.ts';
import { nearPerfectFeatures, type NearPerfectLimits } from './near-perfect.ts';
import { orderIdentifiers } from './order-identifier.ts';
import { postEventFeatures } from './post-event.ts';

export type LeakageCheck = {
  features: Matrix;
  label: Float64Array;
  /** Row numbers of the split, to look for rows in both parts. */
  split?: { train: ArrayLike<number>; test: ArrayLike<number> };
  /** Source columns declared as known only after the event. */
  postEventColumns?: readonly string[];
  /** Milliseconds or any other rising number per row. */
  eventTime?: Float64Array;
  limits?: NearPerfectLimits & LabelDerivedLimits & { maxDuplicateShare?: number };
};

/** All checks before training; an empty list means nothing was found. Rows stand in their order of arrival. */
export function checkLeakage(check: LeakageCheck): LeakageFinding[] {
  const { features, label, split, postEventColumns = [], eventTime, limits = {} } = check;
  ensureSameRows({ label, features: { length: features.rows }, eventTime });
  const labelDerived = labelDerivedFeatures(features, label, limits);
  const derived = new Set(labelDerived.map(({ feature }) => feature));
  const part = (rows: ArrayLike<number>) => ({
    features: takeRows(features, rows),
    label: Float64Array.from(rows, (row) => label[row]),
  });
  return [
    ...labelDerived,
    // what is the label is near perfect too: say the sharper thing once
    ...nearPerfectFeatures(features, label, limits).filter(({ feature }) => !derived.has(feature)),
    ...postEventFeatures(features.names, postEventColumns),
    ...orderIdentifiers(features, eventTime ? { eventTime } : {}),
    ...(split ? duplicatedRows(part(split.train), part(split.test), { maxShare: limits.maxDuplicateShare }) : []),
  ];
}
