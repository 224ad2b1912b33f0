import type { Metadata, Protocol } from './actions.ts';
import { UnsupportedTable } from './errors.ts';
import { usesType, type Schema } from './schema.ts';

/*
 * What we can read and write of the protocol's versions and table features. Reader version 1 and writer version 2 are plain
 * tables (with `appendOnly` and `invariants`); from reader 3 and writer 7 on, features are listed by name.
 */

const readable = new Set(['timestampNtz', 'vacuumProtocolCheck', 'columnMapping']);
const writable = new Set(['appendOnly', 'invariants', 'timestampNtz', 'vacuumProtocolCheck']);

/** The protocol that a table of these columns needs: the plainest one that has them. */
export function protocolFor(schema: Schema): Protocol {
  if (!usesType(schema, 'timestamp_ntz')) return { minReaderVersion: 1, minWriterVersion: 2 };
  // writer version 7 drops what version 2 implied, so it is named: a table may come here from there
  const writerFeatures = ['appendOnly', 'invariants', 'timestampNtz'];
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['timestampNtz'], writerFeatures };
}

/** The protocol that `current` must grow into to hold these columns; undefined where it does already. */
export function upgrade(current: Protocol, schema: Schema): Protocol | undefined {
  const wanted = protocolFor(schema);
  const missing = (wanted.readerFeatures ?? []).filter((feature) => !current.readerFeatures?.includes(feature));
  if (missing.length === 0) return undefined;
  const union = (a: string[] = [], b: string[] = []) => [...new Set([...a, ...b])];
  return {
    ...wanted,
    readerFeatures: union(current.readerFeatures, wanted.readerFeatures),
    writerFeatures: union(current.writerFeatures, wanted.writerFeatures),
  };
}

/** Throws `UnsupportedTable`, naming the feature, where our reading would give wrong rows. */
export function checkReadable(path: string, protocol: Protocol, metadata: Metadata): void {
  const { minReaderVersion: version, readerFeatures = [] } = protocol;
  if (version > 3) throw new UnsupportedTable(path, `wants reader version ${version}; 3 is the highest known here`);
  const missing = readerFeatures.filter((feature) => !readable.has(feature));
  if (missing.length > 0) throw new UnsupportedTable(path, `wants the reader feature ${missing.join(', ')}`);
  const mapping = metadata.configuration?.['delta.columnMapping.mode'] ?? 'none';
  if (mapping !== 'none') throw new UnsupportedTable(path, `wants the reader feature columnMapping (mode ${mapping})`);
  const { provider } = metadata.format;
  if (provider !== 'parquet') throw new UnsupportedTable(path, `keeps its data as ${provider}, not as Parquet`);
}

/** Throws `UnsupportedTable`, naming the feature, where a commit of ours would break the table's rules. */
export function checkWritable(path: string, protocol: Protocol, schema: Schema): void {
  const { minWriterVersion: version, writerFeatures = [] } = protocol;
  if (version > 2 && version !== 7) {
    throw new UnsupportedTable(path, `wants writer version ${version}; 2, and 7 with named features, are known here`);
  }
  const missing = writerFeatures.filter((feature) => !writable.has(feature));
  if (missing.length > 0) throw new UnsupportedTable(path, `wants the writer feature ${missing.join(', ')}`);
  const constrained = schema.fields.find((field) => 'delta.invariants' in field.metadata);
  if (constrained) throw new UnsupportedTable(path, `has an invariant on column ${constrained.name}, unknown here`);
}

/**
 * The properties of a table that is a record: rows are added, and taken out by the erasure of a person alone. It is a property
 * of our own, because Delta's `delta.appendOnly` would forbid that as well.
 */
export const recordProperties = { 'bordereau.appendOnly': 'true' };

/** Throws `UnsupportedTable` where the table was declared append-only, or is a record and this is no erasure. */
export function checkRemovable(path: string, metadata: Metadata, isErasure = false): void {
  if (metadata.configuration?.['bordereau.appendOnly'] === 'true' && !isErasure) {
    throw new UnsupportedTable(path, 'is a record (bordereau.appendOnly), from which only an erasure may take rows');
  }
  if (metadata.configuration?.['delta.appendOnly'] === 'true') {
    throw new UnsupportedTable(path, 'is append-only (delta.appendOnly), so no row may be removed or replaced');
  }
}
