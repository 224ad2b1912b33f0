import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Contract } from '../../data/contract/contract.ts';
import { decimalText, millionths } from '../../data/decimal-text.ts';
import { FileRejected } from '../../data/file-rejected.ts';
import { isGzip } from '../../data/format.ts';
import { type Manifest, manifestDifferences, manifestEnding, parseManifest } from '../../data/manifest.ts';
import { validateContent } from '../../data/quality/content.ts';
import { type Late, lateRows, lookBackRule } from '../../data/quality/late.ts';
import type { ControlTotal } from '../../data/quality/totals.ts';
import { type RuleOutcome, type Validation, validateFile } from '../../data/quality/validate.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Snapshot } from '../../lake/snapshot.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { type UseCase, contractOf, useCaseOf } from '../../usecase/catalogue.ts';
import { digestOf, getWritten } from './json.ts';

/** One delivery: a file, or several with their manifest. */
export type Drop = {
  /** The run of the event that completes it; of several files, that of the manifest, whichever of them came last. */
  dropId: string;
  /** For messages. */
  name: string;
  files: DroppedFile[];
  /** Of the content of everything that belongs to it. */
  digest: string;
  sizeBytes: number;
  arrivedAtMs: number;
  /** Of the event that announced it; several files have none in common. */
  sequencer?: string;
  manifest?: Manifest;
};

/** A small file is in memory, a large one open on the local disk: what is read of it is what its digest is of. */
type DroppedFile = { name: string; digest: string; sizeBytes: number; content: Uint8Array | FileHandle };

/** Files of more bytes are not held in memory. */
const heldBytes = 16 * 2 ** 20;
/** The same of files that are compressed, for what is in them may be very much more. */
const heldGzipBytes = 2 ** 20;

/** It is not complete yet; nothing is read of it. */
export type WaitingDrop = { name: string; waitsFor: string[] };

/** The object under the key is not the one that was announced: its newer content has an event of its own. */
export type SupersededDrop = { name: string; superseded: true };

export type Place = { useCase: UseCase; source: string; contract: Contract; folder: string; name: string };

/** A key that is not `drops/<use case>/<source>/<file>`. */
export class MisplacedDrop extends Error {
  override name = 'MisplacedDrop';
}

/** Where a drop's key leads. Throws `MisplacedDrop`, `UnknownUseCase`, `UnknownSource`. */
export function placeOf(ports: Ports, key: string): Place {
  const [, id, source, ...rest] = key.split('/');
  if (rest.length === 0) {
    throw new MisplacedDrop(`${key} is no drop: put files at drops/<use case>/<source>/<file>.`);
  }
  const useCase = useCaseOf(ports.catalogue, id);
  const name = rest.join('/');
  return { useCase, source, contract: contractOf(useCase, source), folder: key.slice(0, -name.length), name };
}

/** What the event says of the object; its etag is empty where nobody knows it. */
export type Announced = { runId: string; etag: string; sequencer?: string };

/**
 * Reads what an arrived object belongs to: itself, or the drop of the manifest that names it (or is it), once all of its files
 * are there. Whichever of them arrives last completes the drop, and every later event about any of them finds the same drop.
 */
export async function readDrop(
  ports: Ports,
  place: Place,
  { runId, etag, sequencer }: Announced,
  leave: AsyncDisposableStack,
): Promise<Drop | WaitingDrop | SupersededDrop> {
  const found = await manifestFor(ports, place);
  if (found) return readManifestDrop(ports, place, found, leave);
  if (place.contract.manifest === 'required')
    return { name: place.name, waitsFor: [`a manifest that names ${place.name}`] };
  const { file, arrivedAtMs, etag: present } = await readFileOf(ports, place, place.name, leave);
  // taken for the announced drop, newer content would get the older one's place in the order
  if (etag !== '' && present !== etag) return { name: place.name, superseded: true };
  return {
    dropId: runId,
    name: file.name,
    files: [file],
    digest: file.digest,
    sizeBytes: file.sizeBytes,
    arrivedAtMs,
    ...(sequencer && { sequencer }),
  };
}

type FoundManifest = { name: string; bytes: Uint8Array; manifest: Manifest };

/** The manifest that the arrived object is, or that names it; of several, the first by name. */
async function manifestFor(ports: Ports, { folder, name }: Place): Promise<FoundManifest | undefined> {
  const read = async (file: string): Promise<FoundManifest> => {
    const bytes = await getWritten(ports.bronze, `${folder}${file}`, 'bronze');
    return { name: file, bytes, manifest: parseManifest(bytes, file) };
  };
  if (name.endsWith(manifestEnding)) return read(name);
  for await (const { key } of ports.bronze.list(folder)) {
    if (!key.endsWith(manifestEnding)) continue;
    // a manifest that cannot be read is refused by its own event, not by those of its neighbours
    const found = await read(key.slice(folder.length)).catch(ignoreRejected);
    if (found?.manifest.files.some((file) => file.name === name)) return found;
  }
  return undefined;
}

function ignoreRejected(error: unknown): undefined {
  if (!(error instanceof FileRejected)) throw error;
}

async function readManifestDrop(
  ports: Ports,
  place: Place,
  { name, bytes, manifest }: FoundManifest,
  leave: AsyncDisposableStack,
): Promise<Drop | WaitingDrop> {
  const names = manifest.files.map((file) => file.name);
  const there = await Promise.all(names.map((file) => ports.bronze.head(`${place.folder}${file}`)));
  const waitsFor = names.filter((_, i) => there[i] === undefined);
  if (waitsFor.length > 0) return { name, waitsFor };
  const files: DroppedFile[] = [];
  const arrivals = [(await ports.bronze.head(`${place.folder}${name}`))?.lastModifiedMs ?? 0];
  for (const file of names) {
    const read = await readFileOf(ports, place, file, leave);
    files.push(read.file);
    arrivals.push(read.arrivedAtMs);
  }
  const digest = digestOf([digestOf(bytes), ...files.map((file) => file.digest)].join(' '));
  return {
    dropId: `drop-${digestOf(`${place.folder}${name}#${digest}`).slice(0, 12)}`,
    name,
    files,
    digest,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, bytes.length),
    arrivedAtMs: Math.floor(Math.max(...arrivals)),
    manifest,
  };
}

async function readFileOf(
  ports: Ports,
  { folder }: Place,
  name: string,
  leave: AsyncDisposableStack,
): Promise<{ file: DroppedFile; arrivedAtMs: number; etag: string | undefined }> {
  const key = `${folder}${name}`;
  let info = await ports.bronze.head(key);
  let file: Omit<DroppedFile, 'name'>;
  // time, etag and content must be of one object: where it was replaced in between, all are read again
  for (let before = info; ; before = info) {
    const isSmall = (info?.sizeBytes ?? 0) <= heldGzipBytes;
    file = isSmall ? await heldFile(ports, key) : await fileOnDisk(ports, key, leave);
    info = await ports.bronze.head(key);
    if (info?.etag === before?.etag && info?.lastModifiedMs === before?.lastModifiedMs) break;
  }
  // the drop's own time, not this attempt's: a second delivery makes the same rows
  const arrivedAtMs = Math.floor(info?.lastModifiedMs ?? ports.clock.nowMs());
  return { file: { name, ...file }, arrivedAtMs, etag: info?.etag };
}

async function heldFile(ports: Ports, key: string): Promise<Omit<DroppedFile, 'name'>> {
  const content = await getWritten(ports.bronze, key, 'bronze');
  return { digest: digestOf(content), sizeBytes: content.length, content };
}

const chunkBytes = 4 * 2 ** 20;

async function fileOnDisk(ports: Ports, key: string, leave: AsyncDisposableStack): Promise<Omit<DroppedFile, 'name'>> {
  const copy = await ports.bronze.localCopy(key);
  leave.defer(() => copy.release());
  // whoever replaces the object meanwhile makes another file: this one stays what it is until it is closed
  const content = await open(copy.path);
  leave.defer(() => content.close());
  const hash = createHash('sha256');
  // one is read into while the other is hashed
  let [chunk, other] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)];
  let sizeBytes = 0;
  let { bytesRead } = await content.read(chunk, 0, chunkBytes, 0);
  if (bytesRead > 0 && !isGzip(chunk) && (await content.stat()).size <= heldBytes) {
    const held = await content.readFile();
    return { digest: digestOf(held), sizeBytes: held.length, content: held };
  }
  while (bytesRead > 0) {
    sizeBytes += bytesRead;
    const next = content.read(other, 0, chunkBytes, sizeBytes);
    hash.update(chunk.subarray(0, bytesRead));
    ({ bytesRead } = await next);
    [chunk, other] = [other, chunk];
  }
  return { digest: hash.digest('hex'), sizeBytes, content };
}

/**
 * Why a drop of several files must not enter silver: one of them did before, by itself, because its manifest came late. Its rows
 * would stand there twice.
 */
export function ingestedAlone({ files, manifest }: Drop, silver: Snapshot | undefined): string[] {
  if (!manifest) return [];
  return files
    .filter(({ digest }) => silver?.transactions.has(`drop:${digest}`))
    .map(
      ({ name }) =>
        `${name} was ingested by itself before its manifest came: declare "manifest: required" in the contract`,
    );
}

/** `late` where the contract has a look-back. */
export type DropValidation = Validation & { late?: Late };

/**
 * Holds a drop against its contract and its manifest: the tables `accepted` and `quarantined` have the rows of all of its files.
 * Throws `FileRejected` where one of them cannot be read.
 */
export async function validateDrop(
  sql: SqlEngine,
  { contract }: Place,
  { files, manifest, dropId, arrivedAtMs, sequencer }: Drop,
  temporaryDirectory: string,
): Promise<DropValidation> {
  const validations: Validation[] = [];
  for (const { name: fileName, content, digest } of files) {
    const input = { sql, fileName, digest, contract, arrivedAtMs, dropId, sequencer, temporaryDirectory };
    const validation = await (content instanceof Uint8Array
      ? validateFile({ ...input, bytes: content })
      : validateContent({ ...input, content }));
    validations.push(validation);
    if (files.length > 1) await gather(sql, validation, validations.length === 1);
  }
  const [first] = validations;
  const whole = files.length === 1 ? first : await combined(sql, validations);
  const beyond = whole.rules.find(({ name }) => name === lookBackRule)?.rows ?? 0;
  const late = await lateRows(sql, { contract, arrivedAtMs, beyond });
  const together = { ...whole, ...(late && { late }) };
  if (!manifest) return together;
  const came = files.map(({ name, digest }) => ({ name, sha256: digest }));
  const differences = manifestDifferences(manifest, {
    files: came,
    rows: together.counts.rows,
    totals: together.totals,
  });
  return { ...together, halts: [...together.halts, ...differences] };
}

/** Adds the rows of one file to those of the files before it. */
async function gather(sql: SqlEngine, { accepted, quarantined }: Validation, isFirst: boolean): Promise<void> {
  for (const table of [accepted, quarantined]) {
    await sql.run(
      isFirst ? `CREATE OR REPLACE TEMP TABLE all_${table} AS FROM ${table}` : `INSERT INTO all_${table} FROM ${table}`,
    );
  }
}

/** Puts all files' rows in the place of the last one's, and adds up what was found. */
async function combined(sql: SqlEngine, parts: readonly Validation[]): Promise<Validation> {
  for (const table of [parts[0].accepted, parts[0].quarantined]) {
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${table} AS FROM all_${table}`);
  }
  const sum = (of: (part: Validation) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const rows = sum(({ counts }) => counts.rows);
  const rules = new Map<string, RuleOutcome>();
  for (const rule of parts.flatMap((part) => part.rules)) {
    const before = rules.get(rule.name);
    const broken = rule.rows + (before?.rows ?? 0);
    rules.set(rule.name, {
      ...rule,
      broken: rule.broken || (before?.broken ?? false),
      rows: broken,
      share: rows === 0 ? 0 : broken / rows,
    });
  }
  const columns = new Set(parts.flatMap(({ totals }) => totals.map(({ column }) => column)));
  return {
    ...parts[0],
    counts: {
      rows,
      accepted: sum(({ counts }) => counts.accepted),
      quarantined: sum(({ counts }) => counts.quarantined),
    },
    totals: [...columns].map((column) =>
      addTotals(parts.flatMap(({ totals }) => totals.filter((total) => total.column === column))),
    ),
    rules: [...rules.values()],
    halts: [...new Set(parts.flatMap(({ halts }) => halts))],
  };
}

function addTotals(totals: readonly ControlTotal[]): ControlTotal {
  const add = (of: (total: ControlTotal) => string): string =>
    decimalText(totals.reduce((sum, total) => sum + millionths(of(total)), 0n));
  return {
    column: totals[0].column,
    dropped: add(({ dropped }) => dropped),
    accepted: add(({ accepted }) => accepted),
    quarantined: add(({ quarantined }) => quarantined),
    unreadableRows: totals.reduce((sum, { unreadableRows }) => sum + unreadableRows, 0),
  };
}
