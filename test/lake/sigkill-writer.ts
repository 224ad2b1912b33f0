/**
 * A process to be killed: appends files to the table of a directory, each by a transaction of its own, and replaces one object
 * over and over. It says on stdout what has been acknowledged, and goes on where its last life ended.
 *
 *     node sigkill-writer.ts DIRECTORY NAME
 */
import { createHash, randomUUID } from 'node:crypto';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { storeDataFile } from '../../src/lake/data-files.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { fileBytes, type Pointer } from './sigkill.ts';

const [, , directory, name] = process.argv;
const store = new DirectoryStore(directory);
const clock = { nowMs: () => Date.now(), sleep: async () => {} };
const table = deltaTable(store, 't', { clock, ids: { next: randomUUID } });
const schema = {
  type: 'struct' as const,
  fields: [{ name: 'x', type: 'integer' as const, nullable: true, metadata: {} }],
};

for (let n = ((await table.latest())?.transactions.get(name)?.version ?? -1) + 1; ; n++) {
  const stored = await storeDataFile(table.at, clock, fileBytes(name, n));
  const file = { ...stored, rows: 1, partitionValues: {}, stats: '{"numRecords":1}' };
  await table.append({ schema, partitionColumns: [], files: [file] }, { txn: { appId: name, version: n } });
  const text = 'x'.repeat(100_000 + n);
  const pointer: Pointer = { n, text, sha256: createHash('sha256').update(text).digest('hex') };
  await store.put(`pointers/${name}.json`, new TextEncoder().encode(JSON.stringify(pointer)));
  process.stdout.write(`${n}\n`);
}
