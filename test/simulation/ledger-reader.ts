import type { Json } from '../../src/data/json.ts';
import { demand, readJson, sha256Of } from './outside-reader.ts';
import type { Kept } from './twin-store.ts';

/** An entry of the promotion log as an auditor reads it. */
export type Entry = {
  sequence: number;
  kind: string;
  alias: string | null;
  version: number;
  replaces: number | null;
  decisionId: string;
  previousHash: string;
  hash: string;
};

/** The promotion log, checked by an auditor's own reading: numbered without gaps, each entry holding the hash of the one before. */
export function readChain(objects: ReadonlyMap<string, Kept>, useCase: string): Entry[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith(`promotions/${useCase}/`)).sort();
  let previousHash = '0'.repeat(64);
  const answered = new Set<string>();
  return keys.map((key, i) => {
    const entry = readJson<Entry>(objects, key)!;
    demand(entry.sequence === i + 1, `the ledger lacks entry ${i + 1}`);
    demand(
      entry.previousHash === previousHash,
      `entry ${entry.sequence} of the ledger does not follow from the one before`,
    );
    const sealed = sha256Of(sorted({ ...entry, hash: null }));
    demand(entry.hash === sealed, `entry ${entry.sequence} of the ledger is not as it was sealed`);
    const answer = `${entry.kind} ${entry.decisionId}`;
    demand(!answered.has(answer), `the ledger has the decision ${answer} twice`);
    answered.add(answer);
    previousHash = entry.hash;
    return entry;
  });
}

/** JSON with its keys in order, at every depth. */
function sorted(value: Json): string {
  return JSON.stringify(value, (_, member: Json) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export type Version = { runId: string; digest: string };

/** Every version that shows itself, by number: whole, to the last byte of each of its files. */
export function checkVersions(objects: ReadonlyMap<string, Kept>, useCase: string): Map<number, Version> {
  const versions = new Map<number, Version>();
  for (const key of objects.keys()) {
    const [, folder] = /^(versions\/[^/]+\/\d{4}\/)manifest\.json$/.exec(key) ?? [];
    if (folder === undefined || !key.startsWith(`versions/${useCase}/`)) continue;
    const manifest = readJson<Manifest>(objects, key)!;
    for (const { name, sha256 } of manifest.files) {
      const kept = objects.get(folder + name);
      demand(kept !== undefined, `version ${manifest.version} shows itself without its file ${name}`);
      demand(kept.sha256 === sha256, `${folder}${name} is not the file that was published`);
    }
    versions.set(manifest.version, { runId: manifest.lineage.runId, digest: manifest.digest });
  }
  return versions;
}

type Manifest = {
  version: number;
  digest: string;
  lineage: { runId: string };
  files: { name: string; sha256: string }[];
};
