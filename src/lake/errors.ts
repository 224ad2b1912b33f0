/** There is no table at that path: no commit was ever written there. */
export class TableNotFound extends Error {
  override readonly name = 'TableNotFound';
  constructor(path: string) {
    super(`There is no table at ${path}: no commit was ever written. Check the path, or write to the table first.`);
  }
}

/** The table is there, the version asked for is not. */
export class VersionNotFound extends Error {
  override readonly name = 'VersionNotFound';
  constructor(path: string, asked: string, available: string) {
    super(`Table ${path} has no version ${asked}; it has ${available}. See its history for what there is.`);
  }
}

/** The rows to be written do not fit the table's columns. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
  readonly column: string;
  constructor(path: string, column: string, problem: string) {
    super(`Column ${column} does not fit table ${path}: ${problem}. Nothing was written.`);
    this.column = column;
  }
}

/** The table wants something of its readers or writers that is not built here; reading on would give wrong rows. */
export class UnsupportedTable extends Error {
  override readonly name = 'UnsupportedTable';
  constructor(path: string, what: string) {
    super(`Table ${path} ${what}. Use an engine that has it, or rewrite the table without it.`);
  }
}

/** A file of the transaction log is missing, or is not what the Delta protocol says. */
export class LogDamaged extends Error {
  override readonly name = 'LogDamaged';
  constructor(path: string, file: string, problem: string) {
    super(
      `The log of table ${path} is damaged at ${file}: ${problem}. Restore that object from the bucket's versions.`,
    );
  }
}

/** Other writers won every time. Nothing was written; files already uploaded are unreferenced and harmless. */
export class CommitConflict extends Error {
  override readonly name = 'CommitConflict';
  constructor(path: string, attempts: number) {
    super(`Table ${path}: ${attempts} attempts to commit met another writer each time. Try again when it is calmer.`);
  }
}

/** The rows have changed since the version on which the write was worked out. Nothing was written. */
export class ConcurrentChange extends Error {
  override readonly name = 'ConcurrentChange';
  constructor(path: string, since: number, latest: number) {
    super(
      `Table ${path} has changed since version ${since}, on which this write rests; it is at ${latest} now. ` +
        'Nothing was written: read the table again and work the write out anew.',
    );
  }
}

/** The keys by which rows are to be found are none: a null, or one that stands for several rows. */
export class UnfitKeys extends Error {
  override readonly name = 'UnfitKeys';
  constructor(path: string, columns: readonly string[], problem: string) {
    super(`The keys (${columns.join(', ')}) for table ${path} are unfit: ${problem}. Nothing was written.`);
  }
}

/** Vacuuming with so short a retention could take files from under a writer or a reader. */
export class UnsafeRetention extends Error {
  override readonly name = 'UnsafeRetention';
  constructor(path: string, retentionMs: number, leastMs: number) {
    super(
      `Table ${path} is not vacuumed with a retention of ${retentionMs / 3_600_000} hours: ${leastMs / 3_600_000} are the least, ` +
        'so that no file goes that a running writer or reader still needs.',
    );
  }
}

/** The clock here and the store's own are apart, so that nobody can tell how old a file is. */
export class ClockSkewed extends Error {
  override readonly name = 'ClockSkewed';
  constructor(path: string, hereMs: number, storeMs: number) {
    super(
      `Table ${path} is not vacuumed: it is ${new Date(hereMs).toISOString()} here and ${new Date(storeMs).toISOString()} ` +
        'in the store. Set the clock right, then run it again.',
    );
  }
}
