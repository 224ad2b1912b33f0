import { createHash, randomUUID, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import { SystemClock } from '../embedded/system-clock.ts';
import type { Clock } from '../../ports/clock.ts';
import { ObjectDamaged, ObjectNotFound, StoreDenied, StoreUnavailable } from '../../ports/errors.ts';
import { checkKey, checkPrefix } from '../../ports/object-key.ts';
import type { LocalCopy, ObjectInfo, ObjectStore } from '../../ports/object-store.ts';

export type S3StoreOptions = {
  client: S3Client;
  bucket: string;
  /** Where `localCopy` puts its files: `/tmp` on Lambda. Made where it is missing. */
  temporaryDirectory: string;
  /** What the waits of a conditional write are measured on. @default - the machine's own */
  clock?: Clock;
  /** Prepended to every key, ending with a slash. @default - keys stand at the bucket's top */
  prefix?: string;
  /** How often a conditional write that met another one under way (409) is tried. @default - 8 */
  conflictAttempts?: number;
};

/**
 * One bucket, or one prefix of it. Put-if-absent is `If-None-Match: *`: 412 says that the object is there, 409 that somebody
 * is writing it just now, so ask again. Uploads carry their SHA-256 and downloads are checked against the stored checksum.
 * Throttling, 5xx and lost connections are retried by the client itself (`maxAttempts`).
 */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #temporaryDirectory: string;
  readonly #clock: Clock;
  readonly #conflictAttempts: number;

  constructor(options: S3StoreOptions) {
    this.#client = options.client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix ?? '';
    this.#temporaryDirectory = options.temporaryDirectory;
    this.#clock = options.clock ?? new SystemClock();
    this.#conflictAttempts = options.conflictAttempts ?? 8;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const object = this.#object(key);
    return this.#unlessAbsent('read', key, async () => {
      const output = await this.#client.send(new GetObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
      return await output.Body!.transformToByteArray();
    });
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const object = this.#object(key);
    return this.#unlessAbsent('read', key, async () => {
      const output = await this.#client.send(new HeadObjectCommand(object));
      return objectInfo(key, { Size: output.ContentLength, ETag: output.ETag, LastModified: output.LastModified });
    });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const upload = this.#upload(key, bytes);
    await this.#guard('write', key, () => this.#client.send(new PutObjectCommand(upload)));
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    const upload = { ...this.#upload(key, bytes), IfNoneMatch: '*' };
    return this.#guard('write', key, async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          await this.#client.send(new PutObjectCommand(upload));
          return { created: true };
        } catch (error) {
          if (statusOf(error) === 412) return { created: false };
          if (statusOf(error) !== 409 || attempt === this.#conflictAttempts) throw error;
          await this.#clock.sleep(25 * 2 ** attempt);
        }
      }
    });
  }

  async *list(prefix: string, options: { after?: string } = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    const request = {
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      StartAfter: options.after === undefined ? undefined : this.#prefix + options.after,
    };
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({ ...request, ContinuationToken: token });
      const page = await this.#guard('list', prefix, () => this.#client.send(command));
      for (const entry of page.Contents ?? []) {
        const key = entry.Key!.slice(this.#prefix.length);
        // a console marks a folder by an empty object of that name
        if (key !== '' && !key.endsWith('/')) yield objectInfo(key, entry);
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    const object = this.#object(key);
    await this.#guard('delete', key, () => this.#client.send(new DeleteObjectCommand(object)));
  }

  async localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy> {
    const object = this.#object(key);
    const path = join(this.#temporaryDirectory, randomUUID());
    const release = () => rm(path, { force: true });
    const hash = createHash('sha256');
    const found = await this.#unlessAbsent('read', key, async () => {
      const output = await this.#client.send(new GetObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
      try {
        await mkdir(this.#temporaryDirectory, { recursive: true });
        // in Node the body is a Readable; the SDK's type covers browsers as well
        await pipeline(output.Body as Readable, hashing(hash), createWriteStream(path, { flags: 'wx' }));
      } catch (error) {
        await release();
        throw error;
      }
      return { path, release };
    });
    if (!found) throw new ObjectNotFound(key, this.#where(''));
    if (expect && hash.digest('hex') !== expect.sha256) {
      await release();
      throw new ObjectDamaged(key, this.#where(''), expect.sha256);
    }
    return found;
  }

  #object(key: string): { Bucket: string; Key: string } {
    checkKey(key);
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #upload(key: string, bytes: Uint8Array) {
    const digest = createHash('sha256').update(bytes).digest('base64');
    return { ...this.#object(key), Body: bytes, ContentLength: bytes.byteLength, ChecksumSHA256: digest };
  }

  #where(key: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${key}`;
  }

  /** As `#guard`, and undefined where there is no such object. A missing bucket is an error, never an absence. */
  async #unlessAbsent<T>(what: string, key: string, work: () => Promise<T>): Promise<T | undefined> {
    return this.#guard(what, key, async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
        throw error;
      }
    });
  }

  /** Turns AWS's errors into the port's, each naming bucket and key. */
  async #guard<T>(what: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const where = this.#where(key);
      if (statusOf(error) === 403) {
        const todo = "Check the role's policy for the bucket and its KMS key, and the credentials in use.";
        throw new StoreDenied(what, where, todo, error);
      }
      const todo =
        error instanceof NoSuchBucket
          ? 'The bucket does not exist: deploy the stack, or check the name.'
          : `The client has already retried; run it again. Local copies go to ${this.#temporaryDirectory}.`;
      throw new StoreUnavailable(what, where, todo, error);
    }
  }
}

/** Passes bytes on and feeds them to the hash. */
function hashing(hash: Hash): (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  return async function* (source) {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

function objectInfo(key: string, object: { Size?: number; ETag?: string; LastModified?: Date }): ObjectInfo {
  return {
    key,
    sizeBytes: object.Size!,
    etag: object.ETag!.replaceAll('"', ''),
    lastModifiedMs: object.LastModified!.getTime(),
  };
}
