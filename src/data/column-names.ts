import { FileRejected } from './file-rejected.ts';

/** Throws `FileRejected` where a column has no name, or two have the same: SQL does not tell `Age` from `age`. */
export function checkColumnNames(header: readonly string[], file: string): void {
  const unnamed = header.findIndex((name) => name.trim() === '');
  if (unnamed >= 0) {
    throw new FileRejected(
      'malformed-header',
      file,
      `column ${unnamed + 1} has no name`,
      'Name every column in the first line.',
    );
  }
  const folded = header.map((name) => name.toLowerCase());
  const repeated = header.filter((_, c) => folded.indexOf(folded[c]) < c);
  if (repeated.length === 0) return;
  const names = [...new Set(repeated)].map((name) => `"${name}"`).join(', ');
  throw new FileRejected(
    'duplicate-columns',
    file,
    `its header has ${names} more than once`,
    'Rename or remove the repetition.',
  );
}
