/** What a listing tells about an object; `etag` changes whenever the bytes do. */
export type ObjectInfo = { key: string; sizeBytes: number; etag: string; lastModifiedMs: number };

/** An object's bytes on the local disk, for readers that need a path. Call `release` when done with it. */
export type LocalCopy = { path: string; release(): Promise<void> };

/**
 * A flat key → bytes store with strong read-after-write and one atomic primitive, put-if-absent.
 * Keys follow `checkKey`'s grammar. S3 and a directory both satisfy it; `test/contract/object-store.ts` says what it means.
 */
export interface ObjectStore {
  /** The bytes, or undefined where no such object exists. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** What `list` would say of one key, or undefined. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Replaces the object whole; readers see the old bytes or the new ones, never a mixture. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes only where nothing is there; `created: false` says that somebody else's (or one's own, after a lost
   * acknowledgement) object is there: read it and compare, never assume.
   */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }>;
  /**
   * Objects whose key starts with `prefix`, in ascending UTF-8 order of key; `after` starts behind that key. What others have
   * put there under a key that breaks the grammar is listed too, so that it is not overlooked: to read it is an `UnsafeKey`.
   */
  list(prefix: string, options?: { after?: string }): AsyncIterable<ObjectInfo>;
  /** Removes the object; removing what is not there is no error. */
  delete(key: string): Promise<void>;
  /**
   * A local path to the bytes (no copy is made where the store is a directory). Throws `ObjectNotFound`, and `ObjectDamaged`
   * where the bytes do not have the SHA-256 (hexadecimal) that `expect` names.
   */
  localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy>;
}
