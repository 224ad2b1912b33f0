import type { ListedObject, MapObjects } from '../../src/asl/objects.ts';
import type { Json } from '../../src/data/json.ts';

/** Buckets in memory: texts by bucket and key. */
export class MemoryObjects implements MapObjects {
  readonly buckets: { [bucket: string]: { [key: string]: string } };

  constructor(buckets: { [bucket: string]: { [key: string]: string } }) {
    this.buckets = buckets;
  }

  get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    const text = this.buckets[bucket]?.[key];
    return Promise.resolve(text === undefined ? undefined : new TextEncoder().encode(text));
  }

  list(bucket: string, prefix: string): Promise<ListedObject[] | undefined> {
    const objects = this.buckets[bucket];
    if (objects === undefined) return Promise.resolve(undefined);
    const keys = Object.keys(objects).filter((key) => key.startsWith(prefix));
    const listed = (key: string) => ({ key, sizeBytes: objects[key].length, etag: `e-${key}`, lastModifiedMs: 1500 });
    return Promise.resolve(keys.sort().map(listed));
  }

  put(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    const objects = this.buckets[bucket];
    if (objects === undefined) return Promise.reject(new Error('The specified bucket does not exist'));
    objects[key] = new TextDecoder().decode(bytes);
    return Promise.resolve();
  }

  json(bucket: string, key: string): Json {
    return JSON.parse(this.buckets[bucket][key]) as Json;
  }
}
