import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { promisedSha256 } from '../../src/lake/data-files.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { fileBytes, type Pointer } from './sigkill.ts';

// BORDEREAU_KILLS=200 for the whole bench
const kills = Number(process.env['BORDEREAU_KILLS'] ?? 8);
const names = ['a', 'b', 'c', 'd'];
const script = fileURLToPath(new URL('sigkill-writer.ts', import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bordereau-kill-'));
});
afterEach(() => rm(directory, { recursive: true }));

type Life = { name: string; acknowledged: number; child: ChildProcess; working: Promise<unknown> };

/** Starts a writer; `working` resolves with its first acknowledgement. */
function start(name: string): Life {
  const child = spawn(process.execPath, [script, directory, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const life: Life = { name, acknowledged: -1, child, working: once(child.stdout, 'data') };
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    // a line that was cut off tells nothing
    const last = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1);
    if (last) life.acknowledged = Number(last);
  });
  return life;
}

async function kill({ child }: Life): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  const [code, signal] = (await closed) as [number | null, string | null];
  expect([code, signal]).toEqual([null, 'SIGKILL']);
}

/** Reads everything as one who comes fresh to the directory; gives each writer's last transaction. */
async function inspect(): Promise<Map<string, number>> {
  const store = new DirectoryStore(directory);
  const { files, transactions, version } = await deltaTable(store, 't', {
    clock: { nowMs: () => 0, sleep: async () => {} },
    ids: { next: () => '' },
  }).snapshot();
  const last = new Map([...transactions].map(([name, txn]) => [name, txn.version]));
  // each transaction made one version and brought one file, whatever was cut off before it
  const wanted = [...last].flatMap(([name, n]) => Array.from({ length: n + 1 }, (_, i) => shaOf(fileBytes(name, i))));
  expect(version + 1).toBe(wanted.length);
  expect([...files.keys()].map((path) => promisedSha256(path)!).sort()).toEqual(wanted.sort());
  for (const path of files.keys()) await store.localCopy(`t/${path}`, { sha256: promisedSha256(path)! });
  return last;
}

async function pointerOf(name: string): Promise<Pointer> {
  const bytes = await new DirectoryStore(directory).get(`pointers/${name}.json`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Pointer;
}

const shaOf = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');

test(`18. writers killed ${kills} times leave nothing torn, nothing lost and nothing twice`, async () => {
  let lives = names.map(start);
  for (let killed = 0; killed < kills;) {
    await Promise.all(lives.map((life) => life.working));
    await sleep(randomInt(30));
    await Promise.all(lives.map(kill));
    killed += lives.length;

    const last = await inspect();
    for (const { name, acknowledged } of lives) {
      expect(last.get(name)).toBeGreaterThanOrEqual(acknowledged);
      const { n, text, sha256 } = await pointerOf(name);
      expect(n).toBeGreaterThanOrEqual(acknowledged);
      expect(shaOf(text)).toBe(sha256);
    }
    if (killed < kills) lives = names.map(start);
  }

  // what the killed had half-written lies apart, and goes with a later writer
  const staging = join(directory, '.staging');
  const longAgo = Date.now() / 1000 - 86_400;
  for (const left of await readdir(staging)) await utimes(join(staging, left), longAgo, longAgo);
  await new DirectoryStore(directory).put('k', new Uint8Array());
  expect(await readdir(staging)).toEqual([]);
});
