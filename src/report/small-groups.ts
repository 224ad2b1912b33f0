/**
 * The smallest group of people about which a report says anything (the cell size of the US health statistics: counts of
 * 1 to 10 are not published). Zero may be told: it is about nobody.
 */
export const minimumGroupRows = 11;

/** True for a count that would tell about one to ten people. */
export function isSmall(rows: number): boolean {
  return rows > 0 && rows < minimumGroupRows;
}

/**
 * The counts of the parts of a known total, without those that are small (`undefined`). Where only one is, the next
 * smallest is left out too: else the total would give it away.
 */
export function hideSmall(counts: readonly number[]): (number | undefined)[] {
  const hidden = new Set([...counts.keys()].filter((i) => isSmall(counts[i])));
  if (hidden.size === 1) {
    const next = [...counts.keys()]
      .filter((i) => counts[i] >= minimumGroupRows)
      .sort((a, b) => counts[a] - counts[b])[0];
    if (next !== undefined) hidden.add(next);
  }
  return counts.map((rows, i) => (hidden.has(i) ? undefined : rows));
}

/**
 * Merges neighbours until no bin is small in any of its counts; fewer bins stay, and none where the whole is small.
 * `counts` of a bin are the rows of each sample that the bins compare.
 */
export function poolNeighbours<Bin>(
  bins: readonly Bin[],
  counts: (bin: Bin) => readonly number[],
  merge: (left: Bin, right: Bin) => Bin,
): Bin[] {
  const pooled = [...bins];
  const size = (bin: Bin) => counts(bin).reduce((sum, rows) => sum + rows, 0);
  for (;;) {
    const at = pooled.findIndex((bin) => counts(bin).some(isSmall));
    if (at < 0) return pooled;
    if (pooled.length === 1) return [];
    // the smaller neighbour, so that tails gather before the middle is touched
    const right = at === 0 || (at < pooled.length - 1 && size(pooled[at + 1]) < size(pooled[at - 1])) ? at + 1 : at;
    pooled.splice(right - 1, 2, merge(pooled[right - 1], pooled[right]));
  }
}

/**
 * Which levels of a category may be told (in their order), and which only together: those that are small in any sample, and
 * of more than `most` levels the least. Where the pool itself is small it takes the least of the others with it. Both are
 * empty where all rows together are few.
 */
export function partitionLevels<Level>(
  levels: readonly Level[],
  counts: (level: Level) => readonly number[],
  most = Infinity,
): { told: Level[]; pooled: Level[] } {
  const size = (level: Level) => counts(level).reduce((sum, rows) => sum + rows, 0);
  const told = levels.filter((level) => !counts(level).some(isSmall));
  const pooled = levels.filter((level) => !told.includes(level));
  const poolIsSmall = () =>
    counts(levels[0]).some((_, s) => isSmall(pooled.reduce((sum, level) => sum + counts(level)[s], 0)));
  while (told.length > 0 && (told.length > most || poolIsSmall())) {
    const least = told.reduce((least, level) => (size(level) <= size(least) ? level : least));
    pooled.push(...told.splice(told.indexOf(least), 1));
  }
  return pooled.length > 0 && poolIsSmall() ? { told: [], pooled: [] } : { told, pooled };
}
