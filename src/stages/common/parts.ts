import { quoteName } from '../../data/quote.ts';
import type { DataFiles } from '../../lake/data-files.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Part, Partition } from '../../stages.ts';
import { digestOf, fromJsonBytes, getWritten, toJsonBytes } from './json.ts';

/** The SQL condition of the rows that are the partition's. */
export const inPartition = (key: string, { bucket, buckets }: Partition): string =>
  `hash(${quoteName(key)}) % ${buckets} = ${bucket}`;

/** Notes in the table's folder which data files the step has stored for its partition; they count for nothing until they are committed. */
export async function storePart(
  store: ObjectStore,
  { table, runId, partition }: { table: string; runId: string; partition: Partition },
  data: DataFiles,
): Promise<Part> {
  const bytes = toJsonBytes(data);
  const key = `${table}/_parts/${runId}/${partition.bucket}-${digestOf(bytes).slice(0, 12)}.json`;
  await store.put(key, bytes);
  return { key, rows: rowsIn(data), sizeBytes: bytes.length };
}

/** The data files of all parts, of which there is at least one, to be committed together. */
export async function loadParts(store: ObjectStore, parts: readonly Part[], zone: string): Promise<DataFiles> {
  const stored = await Promise.all(
    parts.map(async ({ key }) => fromJsonBytes<DataFiles>(await getWritten(store, key, zone), `${zone}/${key}`)),
  );
  return { ...stored[0], files: stored.flatMap(({ files }) => files) };
}

export const rowsIn = ({ files }: DataFiles): number => files.reduce((sum, { rows }) => sum + rows, 0);
