import { afterAll, beforeAll, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { type Theatre, openTheatre } from './play.ts';
import { firstCatch } from './seeds.ts';

let theatre: Theatre & { close(): Promise<void> };
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

test.each(Object.keys(mutants))('40. the mutant "%s" is found out within the 300 seeds', async (name) => {
  expect((await firstCatch(theatre, name, 300))?.seed).toBeLessThan(300);
});
