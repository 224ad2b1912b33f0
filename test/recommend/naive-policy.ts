import { createHash } from 'node:crypto';
import type { Recommend } from '../../src/usecase/recommend.ts';

export type Member = {
  key: string;
  /** By offer. */
  scores: { [offer: string]: number };
  eligible: { [offer: string]: boolean };
  consent: { [channel: string]: boolean };
};
export type Contact = { key: string; offer: string; channel: string; at: Date };

/** `rule` is the one that removed the offer, or `sent`. */
export type Decided = { key: string; offer: string; rule: string; channel?: string; weighted: number };

/**
 * The policy as one would explain it: for each member a list of offers that gets shorter rule by rule, dates as calendar days, money
 * in an exact count. Slow, and kept for the tests.
 */
export function naivePolicy(recommend: Recommend, members: Member[], contacts: Contact[], at: Date): Decided[] {
  const decided: Decided[] = [];
  const day = (date: Date) => Date.parse(date.toISOString().slice(0, 10)) / 86_400_000;
  const month = (date: Date) => date.toISOString().slice(0, 7);
  const past = contacts.filter((contact) => contact.at <= at);
  const wanting: Required<Decided>[] = [];

  for (const { key, scores, eligible, consent } of members) {
    const own = past.filter((contact) => contact.key === key);
    const left: Required<Decided>[] = [];
    for (const offer of recommend.offers) {
      const score = Math.max(recommend.scoreRange[0], Math.min(recommend.scoreRange[1], scores[offer.id]));
      const pair = { key, offer: offer.id, weighted: score * offer.priorityWeight };
      const agreed = offer.channels.filter((channel) => consent[channel]);
      const rested = agreed.filter(
        (channel) =>
          !own.some(
            (contact) =>
              contact.offer === offer.id &&
              contact.channel === channel &&
              day(at) - day(contact.at) < offer.cooldownDays,
          ),
      );
      if (offer.eligible !== undefined && !eligible[offer.id]) decided.push({ ...pair, rule: 'not-eligible' });
      else if (recommend.excludedCategories.includes(offer.category))
        decided.push({ ...pair, rule: 'excluded-category' });
      else if (score < recommend.minimumScore) decided.push({ ...pair, rule: 'below-minimum-score' });
      else if (agreed.length === 0) decided.push({ ...pair, rule: 'no-consent' });
      else if (rested.length === 0) decided.push({ ...pair, rule: 'cooldown' });
      else left.push({ ...pair, rule: 'sent', channel: rested[0] });
    }
    // a stable sort keeps the declared order of equals
    left.sort((a, b) => b.weighted - a.weighted);
    const already = own.filter((contact) => month(contact.at) === month(at)).length;
    const taken: Required<Decided>[] = [];
    for (const pair of left) {
      const categoryOf = (id: string) => recommend.offers.find((offer) => offer.id === id)!.category;
      const same = taken.filter((other) => categoryOf(other.offer) === categoryOf(pair.offer)).length;
      if (same >= recommend.caps.perCategory) decided.push({ ...pair, rule: 'category-cap' });
      else if (already + taken.length >= recommend.caps.perMonth) decided.push({ ...pair, rule: 'month-cap' });
      else if (taken.length >= recommend.top) decided.push({ ...pair, rule: 'beyond-top' });
      else taken.push(pair);
    }
    wanting.push(...taken);
  }

  const order = (pair: Decided) => recommend.offers.findIndex(({ id }) => id === pair.offer);
  const held = (key: string) => shareOf(recommend.holdout.salt, key) < recommend.holdout.share;
  const today = `${recommend.holdout.salt}/${at.toISOString().slice(0, 10)}`;
  wanting.sort(
    (a, b) => b.weighted - a.weighted || shareOf(today, a.key) - shareOf(today, b.key) || order(a) - order(b),
  );
  let cents = 0;
  for (const pair of wanting) {
    const cost = Math.round((recommend.budget?.costPerContactUsd[pair.channel] ?? 0) * 100);
    if (recommend.budget && cents + cost > Math.round(recommend.budget.perRunUsd * 100))
      decided.push({ ...pair, rule: 'over-budget' });
    else if (held(pair.key)) decided.push({ ...pair, rule: 'holdout' });
    else {
      cents += cost;
      decided.push(pair);
    }
  }
  return decided;
}

/** The first twelve hexadecimal digits of SHA-256 as a fraction. */
function shareOf(salt: string, key: string): number {
  return Number.parseInt(createHash('sha256').update(`${salt}:${key}`).digest('hex').slice(0, 12), 16) / 16 ** 12;
}
