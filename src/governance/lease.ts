import type { ObjectStore } from '../ports/object-store.ts';

/**
 * A mutex on an object store: at most one holder at a time, for a limited time. Each acquisition is a numbered object, written
 * where nothing is; the number is the fencing number, and whoever holds an older one has lost the lease, whatever its clock says.
 * It lies in the registry zone as `leases/<use case>/<name>/00000001.json`, with `….released.json` beside it when given back.
 */
export type Lease = {
  name: string;
  /** The fencing number: higher is later. */
  number: number;
  /** The run that holds it. */
  holder: string;
  acquiredAtMs: number;
  expiresAtMs: number;
};

export type LeaseState = Lease & { released: boolean };

/** Thrown when a holder wakes up after its lease has passed to another one: it must stop without writing. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

type LeaseAt = { store: ObjectStore; useCase: string; name: string };

/** Whether somebody holds it at that time. */
export function isHeld(state: LeaseState | undefined, nowMs: number): boolean {
  return state !== undefined && !state.released && nowMs < state.expiresAtMs;
}

/** The latest acquisition, or undefined where there never was one. */
export async function readLease({ store, useCase, name }: LeaseAt): Promise<LeaseState | undefined> {
  let latest: string | undefined;
  const released = new Set<string>();
  for await (const { key } of store.list(leasePrefix({ useCase, name }))) {
    if (key.endsWith('.released.json')) released.add(key);
    else latest = key;
  }
  const bytes = latest && (await store.get(latest));
  if (!latest || !bytes) return undefined;
  const lease = JSON.parse(new TextDecoder().decode(bytes)) as Lease;
  return { ...lease, released: released.has(releasedKey(latest)) };
}

/**
 * Takes the lease for `durationSeconds` unless another run holds it; the holder that asks again gets the lease it has. With
 * `acquired: false` comes the lease that stands in the way.
 */
export async function acquireLease(
  at: LeaseAt,
  { holder, nowMs, durationSeconds }: { holder: string; nowMs: number; durationSeconds: number },
): Promise<{ acquired: boolean; lease: LeaseState }> {
  for (;;) {
    const current = await readLease(at);
    if (current && isHeld(current, nowMs)) return { acquired: current.holder === holder, lease: current };
    const lease: Lease = {
      name: at.name,
      number: (current?.number ?? 0) + 1,
      holder,
      acquiredAtMs: nowMs,
      expiresAtMs: nowMs + durationSeconds * 1000,
    };
    const bytes = new TextEncoder().encode(JSON.stringify(lease));
    const { created } = await at.store.putIfAbsent(leaseKey(at, lease.number), bytes);
    if (created) return { acquired: true, lease: { ...lease, released: false } };
  }
}

/** Gives back the lease that the run holds, if it still does; given back twice, or too late, it changes nothing. */
export async function releaseLease(at: LeaseAt, holder: string): Promise<void> {
  const current = await readLease(at);
  if (current?.holder !== holder || current.released) return;
  await at.store.putIfAbsent(releasedKey(leaseKey(at, current.number)), new TextEncoder().encode('{}'));
}

/** Throws `LeaseLost` unless the run is still the last that acquired the lease. To be asked before each lasting write. */
export async function ensureHolder(at: LeaseAt, holder: string): Promise<void> {
  const current = await readLease(at);
  if (current?.holder === holder && !current.released) return;
  throw new LeaseLost(
    `Run ${holder} no longer holds the ${at.name} lease of ${at.useCase}` +
      (current ? `: run ${current.holder} took it as number ${current.number}.` : '.') +
      ' Its work is not written; start a new run.',
  );
}

function leasePrefix({ useCase, name }: Pick<LeaseAt, 'useCase' | 'name'>): string {
  return `leases/${useCase}/${name}/`;
}

function leaseKey(at: LeaseAt, number: number): string {
  return `${leasePrefix(at)}${String(number).padStart(8, '0')}.json`;
}

function releasedKey(key: string): string {
  return key.replace(/\.json$/, '.released.json');
}
