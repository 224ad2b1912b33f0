import { type Mutant, mutants } from './mutants.ts';
import { type Kind, type Theatre, kindOf, play } from './play.ts';

/** What a stretch of seeds came to. */
export type Campaign = { seeds: number; points: number; faults: number; found: Finding[] };

/** A seed under which something was that must never be. */
export type Finding = { seed: number; kind: Kind; what: string };

/** Two stories at a time, so that one goes on while DuckDB works for the other. */
const atOnce = 2;

/** Plays every seed of [from, to). */
export async function playSeeds(theatre: Theatre, from: number, to: number, mutant?: Mutant): Promise<Campaign> {
  const campaign: Campaign = { seeds: 0, points: 0, faults: 0, found: [] };
  let next = from;
  const lane = async () => {
    while (next < to) {
      const seed = next++;
      campaign.seeds += 1;
      try {
        const { points, faults } = await play(theatre, seed, mutant);
        campaign.points += points;
        for (const times of faults.values()) campaign.faults += times;
      } catch (error) {
        campaign.found.push({
          seed,
          kind: kindOf(seed),
          what: `${(error as Error).name}: ${(error as Error).message}`,
        });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return campaign;
}

/** How a finding is told, and how it is seen again. */
export const sayFinding = ({ seed, kind, what }: Finding) =>
  `seed ${seed} (${kind}): ${what}\n  again: npm run simulate -- --seed ${seed}`;

/** The first of the seeds under which the mutant is found out; undefined where it passes all of them. */
export async function firstCatch(theatre: Theatre, name: string, seeds: number): Promise<Finding | undefined> {
  const { kind, mutant } = mutants[name];
  for (let seed = 0; seed < seeds; seed++) {
    if (kindOf(seed) !== kind) continue;
    const { found } = await playSeeds(theatre, seed, seed + 1, mutant);
    if (found.length > 0) return found[0];
  }
  return undefined;
}
