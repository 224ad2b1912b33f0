/** ` Did you mean "x"?` for the known name nearest to what was written, or nothing where none is near. */
export function didYouMean(written: string, known: Iterable<string>): string {
  const name = nearest(written, known);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

/** The known name with the fewest typing errors, letter case ignored, at most one in three letters. */
export function nearest(written: string, known: Iterable<string>): string | undefined {
  let found: string | undefined;
  let fewest = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    const errors = distance(written.toLowerCase(), name.toLowerCase());
    if (errors >= fewest) continue;
    found = name;
    fewest = errors;
  }
  return found;
}

/** Letters left out, added, replaced or swapped with their neighbour (optimal string alignment distance). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, rows[i - 1][j] + 1, row[j - 1] + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
