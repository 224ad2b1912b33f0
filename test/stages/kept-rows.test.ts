import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { SnapshotDamaged } from '../../src/stages/common/frozen-sets.ts';
import { digestOf, toJsonBytes } from '../../src/stages/common/json.ts';
import { keptTrainingRows } from '../../src/stages/common/kept-rows.ts';
import type { StageInput } from '../../src/stages.ts';
import type { Declaration } from '../../src/usecase/declaration.ts';
import { MemoryStore } from '../governance/memory-store.ts';

const declaration = { entity: { key: 'id' }, label: { column: 'cost' } } as unknown as Declaration;

/** A store with one frozen training set, and how often that was read. */
function frozen(costs: number[]) {
  let reads = 0;
  const store = new MemoryStore(new Map(), (moment, operation, key) => {
    if (moment === 'before' && operation === 'get' && key.endsWith('train.arrow')) reads++;
  });
  const bytes = tableToIPC(
    tableFromArrays({ id: costs.map((_, i) => `c${i}`), cost: Float64Array.from(costs) }),
    'file',
  );
  const document = { trainDigest: digestOf(bytes) };
  store.objects.set('s/train.arrow', bytes);
  store.objects.set('s/snapshot.json', toJsonBytes(document));
  const snapshot = { key: 's/snapshot.json' } as StageInput<'Tune'>['snapshot'];
  const rows = () => keptTrainingRows({ registry: store } as unknown as Ports, snapshot, document, declaration);
  return { rows, store, reads: () => reads };
}

test('a worker reads the training rows once for all the candidates that it judges', async () => {
  const run = frozen([1, 2, 3]);
  const [first, second] = await Promise.all([run.rows(), run.rows()]);
  expect(second).toBe(first);
  expect(await run.rows()).toBe(first);
  expect([Array.from(first.rows.label), run.reads()]).toEqual([[1, 2, 3], 1]);
});

test('the rows of another snapshot take the place of those that are kept', async () => {
  const [january, february] = [frozen([4, 5]), frozen([6, 7])];
  expect(Array.from((await january.rows()).rows.label)).toEqual([4, 5]);
  expect(Array.from((await february.rows()).rows.label)).toEqual([6, 7]);
  await january.rows();
  expect([january.reads(), february.reads()]).toEqual([2, 1]);
});

test('rows that are not as they were frozen are not kept: restored, they are read again', async () => {
  const run = frozen([8, 9]);
  const good = run.store.objects.get('s/train.arrow')!;
  run.store.objects.set('s/train.arrow', good.slice(0, 10));
  await expect(run.rows()).rejects.toThrow(SnapshotDamaged);
  run.store.objects.set('s/train.arrow', good);
  expect(Array.from((await run.rows()).rows.label)).toEqual([8, 9]);
});
