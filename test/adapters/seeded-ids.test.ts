import { expect, test } from 'vitest';
import { SeededIds } from '../../src/adapters/embedded/seeded-ids.ts';

const some = (ids: SeededIds, vault: string) => Array.from({ length: 200 }, () => ids.nextOf(vault));

test('the same seed gives a vault the same surrogates, whatever other vaults were given meanwhile', () => {
  const [first, second] = [new SeededIds('42'), new SeededIds('42')];
  some(second, 'vault/offers/member_id');
  expect(some(second, 'vault/cost/customer_id')).toEqual(some(first, 'vault/cost/customer_id'));
});

test('they look like random UUIDs, and no two of them are alike in seeds, vaults or order', () => {
  const all = ['42', '43'].flatMap((seed) => {
    const ids = new SeededIds(seed);
    return [...some(ids, 'a'), ...some(ids, 'b')];
  });
  expect(new Set(all).size).toBe(all.length);
  for (const id of all) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
