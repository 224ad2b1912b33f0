import type { ObjectStore } from '../ports/object-store.ts';
import { canonicalJson, sha256 } from './digest.ts';
import type { Lineage } from './lineage.ts';

/**
 * Immutable model versions on an object store:
 *
 *     versions/<use case>/0001/claim.json      the number is taken, by this content
 *     versions/<use case>/0001/<file> …        model, card, evaluation, reference profile …
 *     versions/<use case>/0001/manifest.json   the same text as the claim: the version is whole and exists
 *
 * Nothing is ever overwritten. A publisher that dies between claim and manifest leaves a number that nobody sees; the same
 * content published again completes it, other content takes the next number.
 */
export type VersionManifest = {
  format: 1;
  useCase: string;
  version: number;
  createdAtMs: number;
  lineage: Lineage;
  files: VersionFile[];
  /** SHA-256 over lineage and files: the one name of this content. */
  digest: string;
};

export type VersionFile = { name: string; sizeBytes: number; sha256: string };

/** Thrown when no such version was published. */
export class VersionNotFound extends Error {
  override name = 'VersionNotFound';
}

/** Thrown when a stored file is missing or not the one that the manifest names. */
export class DigestMismatch extends Error {
  override name = 'DigestMismatch';
}

/**
 * Publishes the files as the next version. One run publishes one version: asked again by the same run, the version that is
 * there is returned. File names follow the store's key grammar and may hold slashes.
 */
export async function publishVersion(
  store: ObjectStore,
  publication: { useCase: string; lineage: Lineage; files: ReadonlyMap<string, Uint8Array>; nowMs: number },
): Promise<VersionManifest> {
  const { useCase, lineage, files, nowMs } = publication;
  const described = [...files].map(([name, bytes]) => ({ name, sizeBytes: bytes.length, sha256: sha256(bytes) }));
  const digest = sha256(canonicalJson({ lineage, files: described }));

  const { claims, published } = await survey(store, useCase);
  const earlier = claims.find((other) => published.has(other.version) && other.lineage.runId === lineage.runId);
  if (earlier) return earlier;
  const unfinished = claims.find((other) => other.digest === digest);
  const next = (claims.at(-1)?.version ?? 0) + 1;

  for (let version = unfinished?.version ?? next; ; version++) {
    const manifest = await claim(store, {
      format: 1,
      useCase,
      version,
      createdAtMs: nowMs,
      lineage,
      files: described,
      digest,
    });
    if (manifest.digest !== digest) continue;
    for (const [name, bytes] of files) await putOnce(store, fileKey(manifest, name), bytes);
    await putOnce(store, manifestKey(useCase, version), encode(manifest));
    return manifest;
  }
}

/** All published versions, oldest first. */
export async function listVersions(store: ObjectStore, useCase: string): Promise<VersionManifest[]> {
  const manifests: VersionManifest[] = [];
  for await (const { key } of store.list(`versions/${useCase}/`)) {
    const bytes = key.endsWith('/manifest.json') ? await store.get(key) : undefined;
    if (bytes) manifests.push(decode(key, bytes));
  }
  return manifests;
}

/** Throws `VersionNotFound`. */
export async function readVersion(store: ObjectStore, useCase: string, version: number): Promise<VersionManifest> {
  const key = manifestKey(useCase, version);
  const bytes = await store.get(key);
  if (bytes) return decode(key, bytes);
  throw new VersionNotFound(
    `There is no version ${version} of ${useCase}: "bordereau registry list --use-case ${useCase}" shows those that were published.`,
  );
}

/** The bytes of one file of the version, verified. Throws `DigestMismatch`. */
export async function readVersionFile(
  store: ObjectStore,
  manifest: VersionManifest,
  name: string,
): Promise<Uint8Array> {
  const file = manifest.files.find((other) => other.name === name);
  const key = fileKey(manifest, name);
  if (!file) {
    const names = manifest.files.map((other) => other.name).join(', ');
    throw new DigestMismatch(
      `Version ${manifest.version} of ${manifest.useCase} has no file ${name}, it has: ${names}.`,
    );
  }
  const bytes = await store.get(key);
  const found = bytes ? sha256(bytes) : 'missing';
  if (bytes && found === file.sha256) return bytes;
  throw new DigestMismatch(
    `${key} is not the file that was published: its SHA-256 should be ${file.sha256} and is ${found}. ` +
      "The version cannot be used; restore the object from the bucket's version history.",
  );
}

/** What of the stored version is not as published: the evidence of the gate `artefactDigest`. Empty when all is well. */
export async function verifyVersion(
  store: ObjectStore,
  manifest: VersionManifest,
): Promise<{ file: string; expected: string; found: string }[]> {
  const faults: { file: string; expected: string; found: string }[] = [];
  for (const file of manifest.files) {
    const bytes = await store.get(fileKey(manifest, file.name));
    const found = bytes ? sha256(bytes) : 'missing';
    if (found !== file.sha256) faults.push({ file: file.name, expected: file.sha256, found });
  }
  const digest = sha256(canonicalJson({ lineage: manifest.lineage, files: manifest.files }));
  if (digest !== manifest.digest) faults.push({ file: 'manifest.json', expected: manifest.digest, found: digest });
  return faults;
}

/** The key of a version's file in the registry zone. */
export function fileKey({ useCase, version }: Pick<VersionManifest, 'useCase' | 'version'>, name: string): string {
  return `versions/${useCase}/${versionName(version)}/${name}`;
}

/** `7` → `0007`, as in keys and reports. */
export function versionName(version: number): string {
  return String(version).padStart(4, '0');
}

/** Every number taken, in order, and which of them became versions. */
async function survey(
  store: ObjectStore,
  useCase: string,
): Promise<{ claims: VersionManifest[]; published: ReadonlySet<number> }> {
  const claims: VersionManifest[] = [];
  const keys = new Set<string>();
  for await (const { key } of store.list(`versions/${useCase}/`)) {
    keys.add(key);
    const bytes = key.endsWith('/claim.json') ? await store.get(key) : undefined;
    if (bytes) claims.push(decode(key, bytes));
  }
  const versions = claims.map(({ version }) => version);
  return { claims, published: new Set(versions.filter((version) => keys.has(manifestKey(useCase, version)))) };
}

/** Takes the number, or says by whose content it was taken. */
async function claim(store: ObjectStore, draft: VersionManifest): Promise<VersionManifest> {
  const key = fileKey(draft, 'claim.json');
  const { created } = await store.putIfAbsent(key, encode(draft));
  if (created) return draft;
  const bytes = await store.get(key);
  if (!bytes) throw new DigestMismatch(`${key} exists and cannot be read: it was deleted. Nothing was published.`);
  return decode(key, bytes);
}

/** Writes the object, or makes sure that the one there is the same. */
async function putOnce(store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  const { created } = await store.putIfAbsent(key, bytes);
  if (created) return;
  const there = await store.get(key);
  if (there && sha256(there) === sha256(bytes)) return;
  throw new DigestMismatch(
    `${key} already holds other bytes: something other than the registry wrote it. Nothing was published.`,
  );
}

function manifestKey(useCase: string, version: number): string {
  return fileKey({ useCase, version }, 'manifest.json');
}

function encode(manifest: VersionManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
}

function decode(key: string, bytes: Uint8Array): VersionManifest {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as VersionManifest;
  } catch (error) {
    throw new DigestMismatch(`${key} is not readable as JSON: it was edited or cut short.`, { cause: error });
  }
}
