import type { Random } from '../../src/ml/random.ts';
import { type OutsideReader, type Row, Violation, demand, readJson, sha256Of } from './outside-reader.ts';
import type { Kept } from './twin-store.ts';
import type { Story } from './play.ts';
import { type World, source, useCase } from './world.ts';

/** What an insurer sends: the bytes, and what must become of each row. */
type Content = {
  digest: string;
  bytes: Uint8Array;
  /** Charges of the good rows by member: no two rows of a scenario have the same. */
  good: Map<string, number>;
  bad: number;
};

/** A file of `members`, one row each; some rows have no number where one is needed. `charges` begin at `from`. */
export function contentOf(draw: Random, members: readonly string[], from: number): Content {
  const good = new Map<string, number>();
  let bad = 0;
  const lines = members.map((member, i) => {
    const charges = from + i;
    const isBad = i > 0 && draw.uniform() < 0.25;
    if (isBad) bad += 1;
    else good.set(member, charges);
    return `${member},${isBad ? 'many' : draw.integer(9)},${draw.integer(5)},${charges},2026-03-01T00:00:00Z`;
  });
  const bytes = new TextEncoder().encode(`member_no,units,factor,charges,recorded_at\n${lines.join('\n')}\n`);
  return { digest: sha256Of(bytes), bytes, good, bad };
}

/** What was put where, in the order in which it came. */
type Sent = { name: string; content: Content; runId: string };

/**
 * Insurers send files: two of their own, one of them again under another name, one corrected under its old name and sometimes taken
 * back to what it was. Each is announced one to three times, and when, in which order and to how many functions at once is the seed's.
 */
function sendFiles(world: World): Sent[] {
  const draw = world.draw.fork('files');
  const group = (from: number, count: number) => Array.from({ length: count }, (_, i) => `M${from + i}`);
  const first = group(0, 3 + draw.integer(4));
  const january = contentOf(draw, first, 1000);
  const february = contentOf(draw, group(100, 2 + draw.integer(4)), 2000);
  const corrected = contentOf(draw, first, 3000);
  const sent: Sent[] = [];
  const send = (name: string, content: Content, waits = 0) =>
    world.later(`insurer ${name}`, async (actor) => {
      for (let i = 0; i < waits; i++) await world.scheduler.point(actor, 'waits');
      sent.push({ name, content, runId: await world.drop(name, content.bytes, 1 + draw.integer(3)) });
      if (content === january && waits === 0 && draw.uniform() < 0.7) send(name, corrected, draw.integer(120));
      if (content === corrected && draw.uniform() < 0.5) send(name, january, 1 + draw.integer(120));
    });
  send('a.csv', january);
  send('b.csv', february);
  if (draw.uniform() < 0.5) send('again.csv', february);
  return sent;
}

/** Files that are sent, announced and ingested by the real machine. */
export function ingestStory(reader: OutsideReader, byListing: boolean): Story {
  let sent: Sent[] = [];
  const seen = (world: World) => seenBy(reader, world, byListing);
  return {
    begin(world) {
      world.only = ['ingest'];
      sent = sendFiles(world);
    },
    async safe(world) {
      const now = await seen(world);
      checkSafety(now, sent, world);
      checkWholeFeatures(now, sent);
    },
    async end(world) {
      checkEnd(await seen(world), sent, world);
      checkNewestWins(await seen(world), sent);
    },
  };
}

type Seen = { silver: Row[]; quarantine: Row[]; features: Row[] };

async function seenBy(reader: OutsideReader, world: World, byListing: boolean): Promise<Seen> {
  const { bronze, silver, gold } = world.stores;
  const rows = (objects: ReadonlyMap<string, Kept>, path: string) =>
    byListing ? reader.rowsByListing(objects, path) : reader.rows(objects, path);
  return {
    silver: await rows(silver.objects, `tables/${useCase}/${source}`),
    quarantine: await rows(bronze.objects, `quarantine/${useCase}/${source}`),
    features: await rows(gold.objects, `features/${useCase}`),
  };
}

/** At any moment: each content is in the tables whole or not at all, no row twice, none unaccounted for. */
function checkSafety({ silver, quarantine, features }: Seen, sent: readonly Sent[], world: World): void {
  const contents = new Map(sent.map(({ content }) => [content.digest, content]));
  const counted = countBy(silver, ({ charges }) => Number(charges));
  const known = new Set([...contents.values()].flatMap(({ good }) => [...good.values()]));
  for (const [charges, times] of counted) {
    demand(known.has(charges), `silver has a row with charges ${charges}, which nobody sent`);
    demand(times === 1, `silver has the row with charges ${charges} ${times} times`);
  }
  const kept = countBy(quarantine, (row) => row['file_sha256'] as string);
  for (const { digest, good, bad } of contents.values()) {
    const there = [...good.values()].filter((charges) => counted.has(charges)).length;
    const quarantined = kept.get(digest) ?? 0;
    demand(there === 0 || there === good.size, `silver has ${there} of ${good.size} rows of a file`);
    demand(
      quarantined === 0 || quarantined === bad,
      `quarantine has ${quarantined} rows of a file with ${bad} bad ones`,
    );
    demand(there === 0 || quarantined === bad, `the good rows of a file are in silver and ${bad} bad ones are nowhere`);
  }
  for (const [row, times] of countBy(features, (row) => `${row['member_no'] as string} ${row['_batch'] as string}`))
    demand(times === 1, `the features have ${times} rows of one member in one batch (${row.split(' ')[1]})`);
  for (const { key, receipt } of receiptsOf(world)) {
    const { dropped, accepted, quarantined, rejected } = receipt.rows;
    demand(dropped === accepted + quarantined + rejected, `${key}: ${dropped} rows came and not all are accounted for`);
    const [digest] = receipt.files.map((file) => file.sha256);
    const content = digest === undefined ? undefined : contents.get(digest);
    // what came before under another name or run brings nothing, and its receipt says so
    const isNew = receipt.status !== 'repeated' && receipt.status !== 'renewed';
    const expected = content && isNew ? content.good.size + content.bad : dropped;
    demand(dropped === expected, `${key} does not tell the rows of its file`);
    demand(isNew || dropped === 0, `${key} tells rows of a drop that brought none`);
  }
}

/** At any moment: the features of a content are there whole or not at all, but for rows in whose place another content has put others. */
function checkWholeFeatures({ features }: Seen, sent: readonly Sent[]): void {
  const built = new Set(features.map(({ charges }) => Number(charges)));
  for (const { name, content } of sent) {
    const others = sent.filter((other) => other.content !== content);
    const own = [...content.good].filter(([member]) => !others.some((other) => other.content.good.has(member)));
    const there = own.filter(([, charges]) => built.has(charges)).length;
    demand(there === 0 || there === own.length, `there are features of ${there} of the ${own.length} rows of ${name}`);
  }
}

/** When all faults have ended and everything was delivered: what is in bronze is in the tables, and newest wins. */
function checkEnd(seen: Seen, sent: readonly Sent[], world: World): void {
  const receipts = receiptsOf(world);
  const silver = new Set(seen.silver.map(({ charges }) => Number(charges)));
  for (const file of latestOf(sent)) {
    const { name, content, runId } = file;
    const missing = [...content.good.values()].filter((charges) => !silver.has(charges));
    demand(missing.length === 0, `${missing.length} rows of ${name} are lost`);
    const quarantined = seen.quarantine.filter((row) => row['file_sha256'] === content.digest).length;
    demand(quarantined === content.bad, `${content.bad - quarantined} quarantined rows of ${name} are lost`);
    const own = receipts.filter(({ receipt }) => receipt.runId === runId);
    demand(own.length === 1, `${name} has ${own.length} receipts`);
    const { status, rows } = own[0].receipt;
    const isNew = status !== 'repeated' && status !== 'renewed';
    demand(!isNew || rows.accepted === content.good.size, `the receipt of ${name} tells other rows`);
    const brought = receipts.filter(({ receipt }) => receipt.status === 'accepted' && bears(receipt, content));
    demand(brought.length > 0, `no receipt tells of the rows of ${name}`);
  }
}

/** Of several rows about one member those of the file that came last hold, in the features and, by time of arrival, in silver. */
function checkNewestWins(seen: Seen, sent: readonly Sent[]): void {
  const { silver, features } = seen;
  const newest = new Map<string, number>();
  const takenBack = new Set<number>();
  for (const file of latestOf(sent)) {
    for (const [member, charges] of file.content.good) newest.set(member, charges);
    // the rows of content that came back stand in silver since it came first; its log tells of the rest
    const others = sent.filter(({ content }) => content !== file.content);
    const first = sent.findIndex(({ content }) => content === file.content);
    if (others.some((other) => other.name === file.name && sent.indexOf(other) > first))
      for (const charges of file.content.good.values()) takenBack.add(charges);
  }
  const inSilver = holding(silver, ({ _ingested_at: at, _line: line }) => [Date.parse(at as string), Number(line)]);
  const inFeatures = holding(features, ({ _built_at: at }) => [Date.parse(at as string)]);
  for (const charges of newest.values()) {
    const holds = inSilver.has(charges) || takenBack.has(charges);
    demand(holds, `the newest row, with charges ${charges}, is not the one that holds in silver`);
    demand(
      inFeatures.has(charges),
      `the newest row, with charges ${charges}, is not the one that holds in the features`,
    );
  }
}

/** The charges of the rows that hold: of each member the one that `order` puts last. */
function holding(rows: readonly Row[], order: (row: Row) => number[]): Set<number> {
  const latest = new Map<string, { row: Row; order: number[] }>();
  for (const row of rows) {
    const member = row['member_no'] as string;
    const held = latest.get(member);
    const mine = order(row);
    const at = held ? mine.findIndex((value, i) => value !== held.order[i]) : 0;
    if (!held || (at >= 0 && mine[at] > held.order[at])) latest.set(member, { row, order: mine });
  }
  return new Set([...latest.values()].map(({ row }) => Number(row['charges'])));
}

/** What each name holds in the end, in the order in which it came. */
function latestOf(sent: readonly Sent[]): Sent[] {
  return sent.filter(({ name }, i) => !sent.slice(i + 1).some((later) => later.name === name));
}

type Receipt = {
  runId: string;
  status: string;
  files: { sha256: string }[];
  rows: { dropped: number; accepted: number; quarantined: number; rejected: number };
};

const bears = ({ files }: Receipt, { digest }: Content) => files.some(({ sha256 }) => sha256 === digest);

function receiptsOf(world: World): { key: string; receipt: Receipt }[] {
  const { objects } = world.stores.reports;
  const keys = [...objects.keys()].filter((key) => key.startsWith('facts/') && /receipt[^/]*\.json$/.test(key));
  return keys.map((key) => {
    const receipt = readJson<Receipt>(objects, key);
    if (!receipt) throw new Violation(`${key} is gone`);
    return { key, receipt };
  });
}

function countBy<T, K>(items: readonly T[], of: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
  return counts;
}
