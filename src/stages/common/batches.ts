/** One batch of features, and by which model versions it has been scored. */
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
