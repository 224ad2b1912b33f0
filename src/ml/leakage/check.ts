import { ensureSameRows } from '../ensure.ts';
import { column, takeRows, type Matrix } from '../matrix.ts';
import { outputOf } from '../metrics/outputs.ts';
import { ordered } from './correlation.ts';
import { duplicatedRows } from './duplicate-rows.ts';
import type { LeakageFinding } from './finding.ts';
import { labelDerivedFeatures, type LabelDerivedLimits } from './label-derived.ts';
import { nearPerfectFeatures, type NearPerfectLimits } from './near-perfect.ts';
import { orderIdentifiers } from './order-identifier.ts';
import { postEventFeatures } from './post-event.ts';

export type LeakageCheck = {
  features: Matrix;
  /** Rows × outputs, row-major. */
  label: Float64Array;
  /** A feature may give away each of them. @default 1 */
  outputs?: number;
  /**
   * Rows that features are compared with labels on, where that is too much for all of them. @default - all rows
   */
  compared?: ArrayLike<number>;
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
  const { features, label, outputs = 1, compared, split, postEventColumns = [], eventTime, limits = {} } = check;
  ensureSameRows({ label: { length: label.length / outputs }, features: { length: features.rows }, eventTime });
  const labels = Array.from({ length: outputs }, (_, output) => outputOf(label, outputs, output));
  const part = (rows: ArrayLike<number>) => ({
    features: takeRows(features, rows),
    label: Float64Array.from(rows, (row) => labels[0][row]),
  });
  return [
    ...givenAway(
      compared ? takeRows(features, compared) : features,
      compared ? labels.map((of) => Float64Array.from(compared, (row) => of[row])) : labels,
      limits,
    ),
    ...postEventFeatures(features.names, postEventColumns),
    ...orderIdentifiers(features, eventTime ? { eventTime } : {}),
    ...(split ? duplicatedRows(part(split.train), part(split.test), { maxShare: limits.maxDuplicateShare }) : []),
  ];
}

/** What features tell of the labels. */
function givenAway(
  features: Matrix,
  labels: readonly Float64Array[],
  limits: NonNullable<LeakageCheck['limits']>,
): LeakageFinding[] {
  const sorted = features.names.map((_, index) => ordered(column(features, index)));
  return labels.flatMap((label) => {
    const labelDerived = labelDerivedFeatures(features, label, limits, sorted);
    const derived = new Set(labelDerived.map(({ feature }) => feature));
    // what is the label is near perfect too: say the sharper thing once
    const nearPerfect = nearPerfectFeatures(features, label, limits, sorted);
    return [...labelDerived, ...nearPerfect.filter(({ feature }) => !derived.has(feature))];
  });
}
