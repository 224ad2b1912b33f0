/** An object as S3's ListObjectsV2 tells of it. */
export type ListedObject = { key: string; sizeBytes: number; etag: string; lastModifiedMs: number };

/** The objects that a distributed Map reads its items from and writes its results to. */
export interface MapObjects {
  /** The bytes, or undefined where there is no such bucket or object. */
  get(bucket: string, key: string): Promise<Uint8Array | undefined>;
  /** The objects whose key starts with the prefix, in ascending order of key; undefined where there is no such bucket. */
  list(bucket: string, prefix: string): Promise<ListedObject[] | undefined>;
  put(bucket: string, key: string, bytes: Uint8Array): Promise<void>;
}
