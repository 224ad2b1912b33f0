/** One batch of features, and by which model versions it has been scored, there where they publish. */
export type Batch = { name: string; rows: number; scoredBy: readonly number[] };

/**
 * Which batches a scoring run takes, from the oldest to the newest: those that nobody has scored yet and, where the champion
 * is new, the newest one again. Older predictions stay as they were: they record what was known and decided then.
 */
export function dueBatches(batches: readonly Batch[], champion: number): Batch[] {
  const newest = batches.at(-1);
  return batches.filter(
    (batch) => batch.scoredBy.length === 0 || (batch === newest && !batch.scoredBy.includes(champion)),
  );
}

/** Which batches a version in shadow takes: the newest one at first, and then whatever comes after those that it has scored. */
export function shadowBatches(batches: readonly Batch[], version: number): Batch[] {
  const last = batches.findLastIndex(({ scoredBy }) => scoredBy.includes(version));
  return last < 0 ? batches.slice(-1) : batches.slice(last + 1);
}
