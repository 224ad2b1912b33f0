import { random } from '../../../src/ml/random.ts';
import { type Member, memberAt, memberIds } from '../../../usecases/offer-prioritization/synthetic/member.ts';
import { liftOf, reactionOf } from '../../../usecases/offer-prioritization/synthetic/reactions.ts';

/** The members whom the generator makes of a seed, as of the end of January 2026. */
export function membersOf({ members, seed }: { members: number; seed: number }): Member[] {
  const source = random(seed).fork('offer-prioritization');
  const idOf = memberIds(seed);
  const nowMs = Date.parse('2026-02-01T00:00:00Z');
  return Array.from({ length: members }, (_, index) => memberAt(index, source, idOf, nowMs));
}

/** What being contacted changes for one member: the chance to respond to any of these offers, with contact less without. */
export function plantedUplift(member: Member, chosen: readonly string[]): number {
  const nothing = (chances: readonly number[]) => chances.reduce((product, chance) => product * (1 - chance), 1);
  const alone = chosen.map((offer) => reactionOf(member, offer).byThemselves);
  const lifts = chosen.map((offer) => liftOf(reactionOf(member, offer)));
  return nothing(alone) * (1 - nothing(lifts));
}
