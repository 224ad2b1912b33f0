import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Theatre, openTheatre } from './play.ts';
import { playSeeds, sayFinding } from './seeds.ts';

let theatre: Theatre & { close(): Promise<void> };
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

test('9, 10, 12, 16, 17, 20, 26, 27. seeds 150 to 299: no row lost, none twice, nothing half-written is ever seen', async () => {
  const { found, faults } = await playSeeds(theatre, 150, 300);
  expect(found.map(sayFinding)).toEqual([]);
  expect(faults).toBeGreaterThan(500);
}, 300_000);
