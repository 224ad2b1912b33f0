import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../governance/digest.ts';
import { type DataKey, type KeyContext, KeyNotUnwrapped, type KeyRing } from '../../ports/key-ring.ts';

/** Others than the owner may read the key file, or it is no key. */
export class UnsafeKeyFile extends Error {
  override readonly name = 'UnsafeKeyFile';
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * A master key in a file that only its owner can read (0600), made on first use. Data keys are wrapped by AES-256-GCM with a
 * random nonce: nonce, ciphertext, tag. Throws `UnsafeKeyFile`. Whoever has the file and the vault can re-identify, and
 * without the file nobody can: keep it apart from the data's backups.
 */
export class FileKeyRing implements KeyRing {
  readonly #path: string;
  #master: Promise<Uint8Array> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async generate(context: KeyContext): Promise<DataKey> {
    const master = await this.#open();
    const key = randomBytes(keyBytes);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', master, nonce).setAAD(Buffer.from(canonicalJson(context)));
    return { key, wrapped: Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]) };
  }

  async unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array> {
    // a file that got lost is to be restored: a new one would unwrap nothing, and stand in the way of the old one
    if (!(await exists(this.#path))) throw new KeyNotUnwrapped(this.#path, context);
    const master = await this.#open();
    if (wrapped.length !== nonceBytes + keyBytes + tagBytes) throw new KeyNotUnwrapped(this.#path, context);
    const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(canonicalJson(context))).setAuthTag(wrapped.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    } catch {
      throw new KeyNotUnwrapped(this.#path, context);
    }
  }

  #open(): Promise<Uint8Array> {
    this.#master ??= openKeyFile(this.#path).catch((error: unknown) => {
      this.#master = undefined;
      throw error;
    });
    return this.#master;
  }
}

async function openKeyFile(path: string): Promise<Uint8Array> {
  if (!(await exists(path))) await makeKeyFile(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new UnsafeKeyFile(
      `The key file ${path} can be read by others (mode ${(mode & 0o777).toString(8)}): everybody who did can re-identify members. ` +
        'If nobody did, take the permissions away by chmod 600.',
    );
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'hex');
  if (key.length === keyBytes) return key;
  throw new UnsafeKeyFile(
    `The key file ${path} does not hold 64 hexadecimal digits: restore it from where you keep it.`,
  );
}

/** Written whole under another name first, then linked: of several processes one makes the key, and none reads half of it. */
async function makeKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = join(dirname(path), `.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(keyBytes).toString('hex')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
