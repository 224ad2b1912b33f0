import type { Recommend } from '../usecase/recommend.ts';
import { type PolicyOutcome, type PolicyRule, policyRules, recommended } from './policy.ts';

/** The steps from every member-offer pair to what is sent; each leaves behind what its rules removed. */
export const funnelSteps = [
  { name: 'candidates', removedBy: [] },
  { name: 'eligible', removedBy: ['not-eligible'] },
  { name: 'wanted', removedBy: ['excluded-category', 'below-minimum-score'] },
  { name: 'consented', removedBy: ['no-consent'] },
  { name: 'not cooled down', removedBy: ['cooldown'] },
  { name: 'within caps', removedBy: ['category-cap', 'month-cap', 'beyond-top'] },
  { name: 'within budget', removedBy: ['over-budget'] },
  { name: 'sent', removedBy: ['holdout'] },
] as const satisfies readonly { name: string; removedBy: readonly PolicyRule[] }[];
export type FunnelStep = (typeof funnelSteps)[number]['name'];

export type PolicyCounts = {
  members: number;
  holdoutMembers: number;
  spentUsd: number;
  /** Pairs that are left after each step, and the members that have at least one. */
  steps: { name: FunnelStep; pairs: number; members: number }[];
  /** Pairs that each rule removed. */
  removed: { [rule in PolicyRule]: number };
  /** In declared order. */
  offers: { id: string; name: string; category: string; sent: number; removed: { [rule in PolicyRule]: number } }[];
};

/** What the policy did, in counts. */
export function policyCounts({ offers }: Recommend, outcome: PolicyOutcome): PolicyCounts {
  const { rows, rule, holdout } = outcome;
  const byOffer = offers.map(() => new Uint32Array(recommended + 1));
  // how far a member's best pair came, by the rule that ended it
  const membersEndedAt = new Uint32Array(recommended + 1);
  for (let row = 0, pair = 0; row < rows; row++) {
    let furthest = 0;
    for (let offer = 0; offer < offers.length; offer++, pair++) {
      byOffer[offer][rule[pair]]++;
      if (rule[pair] > furthest) furthest = rule[pair];
    }
    membersEndedAt[furthest]++;
  }

  const total = (ended: number) => byOffer.reduce((sum, counts) => sum + counts[ended], 0);
  const steps: PolicyCounts['steps'] = [];
  let passed = 0;
  for (const { name, removedBy } of funnelSteps) {
    passed += removedBy.length;
    let [pairs, members] = [0, 0];
    for (let ended = passed; ended <= recommended; ended++) {
      pairs += total(ended);
      members += membersEndedAt[ended];
    }
    steps.push({ name, pairs, members });
  }
  const byRule = (count: (ended: number) => number) =>
    Object.fromEntries(policyRules.map((name, ended) => [name, count(ended)])) as { [rule in PolicyRule]: number };
  return {
    members: rows,
    holdoutMembers: holdout.reduce((sum, held) => sum + held, 0),
    spentUsd: outcome.spentUsd,
    steps,
    removed: byRule(total),
    offers: offers.map(({ id, name, category }, offer) => ({
      id,
      name,
      category,
      sent: byOffer[offer][recommended],
      removed: byRule((ended) => byOffer[offer][ended]),
    })),
  };
}
