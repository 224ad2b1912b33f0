/**
 * What can go wrong behind a port. The `name` of each is what a state machine catches; `where` in a message is always the
 * store's own address (a directory, or `s3://bucket/key`), so that the reader can go and look.
 */

/** There is no object at that key. */
export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';
  readonly key: string;
  constructor(key: string, where: string) {
    super(
      `There is no object ${key} in ${where}. It was deleted, never written, or the key is misspelt: list its prefix.`,
    );
    this.key = key;
  }
}

/** The object's bytes are not those that were asked for: damaged in the store, or replaced by somebody. */
export class ObjectDamaged extends Error {
  override readonly name = 'ObjectDamaged';
  readonly key: string;
  constructor(key: string, where: string, sha256: string) {
    super(
      `The bytes of object ${key} in ${where} do not have the SHA-256 ${sha256} that is expected of them. ` +
        'Restore an earlier version of the object; nothing was read from it.',
    );
    this.key = key;
  }
}

/** The key breaks the grammar of `checkKey`, or leads through a symbolic link. */
export class UnsafeKey extends Error {
  override readonly name = 'UnsafeKey';
  constructor(key: string, reason: string) {
    super(
      `The object key ${printable(key)} is refused: ${reason}. ` +
        'Keys are names joined by "/", each of letters, digits, spaces and !$%&\'()+,-.:;=@_~#, none starting with a dot.',
    );
  }
}

/** The store is there and said no: a read-only directory, a missing permission. Trying again does not help. */
export class StoreDenied extends Error {
  override readonly name = 'StoreDenied';
  constructor(what: string, where: string, todo: string, cause: unknown) {
    super(`Not allowed to ${what} ${where} (${reasonOf(cause)}). ${todo}`, { cause });
  }
}

/** The store did not answer, or not sensibly, after its retries: what was asked for may or may not have happened. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  constructor(what: string, where: string, todo: string, cause: unknown) {
    super(`Could not ${what} ${where} (${reasonOf(cause)}). ${todo}`, { cause });
  }
}

/** The event is larger than an event bus takes. */
export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge';
  constructor(detailType: string, sizeBytes: number, limitBytes: number) {
    super(
      `The event ${detailType} has ${sizeBytes} bytes and the limit is ${limitBytes}: put the payload into the object store and send its key.`,
    );
  }
}

/** Some events were still refused after the last attempt; those not named were accepted. */
export class EventsNotPublished extends Error {
  override readonly name = 'EventsNotPublished';
  readonly detailTypes: readonly string[];
  constructor(bus: string, failures: readonly { detailType: string; reason: string }[], attempts: number) {
    const list = failures.map((failure) => `${failure.detailType} (${failure.reason})`).join(', ');
    super(
      `Event bus ${bus} did not take ${failures.length} events after ${attempts} attempts: ${list}. Publish them again; receivers are idempotent.`,
    );
    this.detailTypes = failures.map((failure) => failure.detailType);
  }
}

/** The catalogue of models does not show the promotion, which stands all the same: mirror it again. */
export class ModelNotMirrored extends Error {
  override readonly name = 'ModelNotMirrored';
  constructor(useCase: string, version: number, where: string, cause: unknown) {
    super(
      `Version ${version} of ${useCase} is promoted but not shown as approved in ${where} (${reasonOf(cause)}). ` +
        'The promotion stands; start the machine govern again with the same input to mirror it.',
      { cause },
    );
  }
}

/** The name or code of what was thrown, never its whole text: messages of foreign libraries may quote data. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown reason';
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return code ?? cause.name;
}

/** A key as a message can show it: escaped, and cut where it is absurdly long. */
function printable(key: string): string {
  const shown = key.length > 200 ? `${key.slice(0, 200)}…` : key;
  return JSON.stringify(shown);
}
