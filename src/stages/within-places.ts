import { StoreDenied } from '../ports/errors.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { type Place, type StageName, stages, type Zone, zones } from '../stages.ts';

/** The cause of a `StoreDenied` on a laptop; on AWS it is the role's `AccessDenied`. */
class UndeclaredPlace extends Error {
  override name = 'UndeclaredPlace';
}

/**
 * The stores as the stage's deployed role sees them: what `src/stages.ts` does not declare is refused, on a laptop as on AWS,
 * so that a missing permission is found by the first test that runs the stage. Throws `StoreDenied`.
 */
export function withinPlaces(ports: Ports, stage: StageName): Ports {
  const declared = stages[stage] as Declared;
  const stores = zones.map((zone) => [zone, guarded(ports[zone], zone, stage, declared)] as const);
  return { ...ports, ...(Object.fromEntries(stores) as Record<Zone, ObjectStore>) };
}

type Declared = { reads: readonly Place[]; writes: readonly Place[]; lists?: readonly Place[] };

function guarded(
  store: ObjectStore,
  zone: Zone,
  stage: StageName,
  { reads, writes, lists = [] }: Declared,
): ObjectStore {
  const check = (what: 'read' | 'write', declared: readonly Place[], key: string) => {
    const place = `${zone}/${key.split('/')[0]}`;
    if ((declared as readonly string[]).includes(place)) return;
    const todo = `${stage} does not declare that it ${what}s ${place}: declare it in src/stages.ts if it should.`;
    throw new StoreDenied(what, `${zone}/${key}`, todo, new UndeclaredPlace());
  };
  return {
    get: async (key) => (check('read', reads, key), store.get(key)),
    head: async (key) => (check('read', reads, key), store.head(key)),
    list: (prefix, options) => (check('read', [...reads, ...lists], prefix), store.list(prefix, options)),
    localCopy: async (key, expect) => (check('read', reads, key), store.localCopy(key, expect)),
    put: async (key, bytes) => (check('write', writes, key), store.put(key, bytes)),
    putIfAbsent: async (key, bytes) => (check('write', writes, key), store.putIfAbsent(key, bytes)),
    // the deployed roles may delete nothing at all
    delete: async (key) => check('write', [], key),
  };
}
