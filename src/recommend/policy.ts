import { ArgumentError, ensureFinite } from '../ml/ensure.ts';
import { keyShare } from '../ml/tune/key-hash.ts';
import type { Recommend } from '../usecase/recommend.ts';
import { type Contacts, contactsByRow } from './contacts.ts';

/**
 * What can keep an offer from a member, in the order in which it is asked. The first rule that says no is the reason; what none
 * removes is recommended.
 */
export const policyRules = [
  'not-eligible',
  'excluded-category',
  'below-minimum-score',
  'no-consent',
  'cooldown',
  'category-cap',
  'month-cap',
  'beyond-top',
  'over-budget',
  'holdout',
] as const;
export type PolicyRule = (typeof policyRules)[number];

/** In `PolicyOutcome.rule`: no rule removed the pair. */
export const recommended = policyRules.length;
/** In `PolicyOutcome.channel`: the pair got as far as no channel. */
export const noChannel = 255;

export type PolicyInput = {
  /** The entity keys of the rows. */
  keys: readonly string[];
  /** rows × offers, row-major, offers as declared: the model's outputs. */
  scores: Float64Array;
  /** Offer → 1 for each row that its condition holds for. Offers without a condition have no entry. */
  eligible: { readonly [offer: string]: ArrayLike<number> };
  /** Channel → 1 for each row that agreed to it. */
  consent: { readonly [channel: string]: ArrayLike<number> };
  /** Earlier contacts; those after `asOfMs` are passed over. */
  contacts: Contacts;
  /** When the policy is applied, in milliseconds since 1970. */
  asOfMs: number;
};

/** rows × offers, row-major, unless told. */
export type PolicyOutcome = {
  rows: number;
  offers: number;
  /** Index into `policyRules`, or `recommended`. */
  rule: Uint8Array;
  /** 1 for the best offer that the member gets, counted over what is recommended; in the holdout, would be. 0 for none. */
  rank: Uint8Array;
  /** Index into the channels of `recommend.consent`, or `noChannel`. */
  channel: Uint8Array;
  /** The score within the declared range. */
  score: Float64Array;
  /** The score times the offer's priority weight: what offers are ranked by. */
  weighted: Float64Array;
  /** Rows. 1 for members who are never contacted. */
  holdout: Uint8Array;
  /** What the recommended contacts cost; 0 without a budget. */
  spentUsd: number;
};

/**
 * Applies the contact policy: which member gets which offer by which channel, and for every other pair the one rule that removed
 * it. Equal scores go by the declared order of the offers, and for the budget by a draw of the day that no member wins always.
 *
 * Members of the holdout pass every rule before theirs as the others do, without spending: their pairs are those that would have
 * been sent, and compare with those that were.
 */
export function applyPolicy(recommend: Recommend, input: PolicyInput): PolicyOutcome {
  const { offers, caps, top } = recommend;
  const rows = input.keys.length;
  const plan = planOf(recommend, input);
  const pairs = rows * offers.length;
  const outcome: PolicyOutcome = {
    rows,
    offers: offers.length,
    rule: new Uint8Array(pairs),
    rank: new Uint8Array(pairs),
    channel: new Uint8Array(pairs).fill(noChannel),
    score: new Float64Array(pairs),
    weighted: new Float64Array(pairs),
    holdout: holdoutOf(recommend.holdout, input.keys),
    spentUsd: 0,
  };
  const { rule, channel, score, weighted } = outcome;
  const contacts = contactsByRow(recommend, input);
  const [low, high] = recommend.scoreRange;
  const inCategory = new Uint16Array(plan.categories);
  const candidates = new Uint32Array(offers.length);

  for (let row = 0; row < rows; row++) {
    const lastDay = contacts.lastDays(row);
    const start = row * offers.length;

    // the rules about one pair alone; what passes them is put in its place by weighted score
    let found = 0;
    for (let offer = 0; offer < offers.length; offer++) {
      const pair = start + offer;
      score[pair] = Math.min(high, Math.max(low, input.scores[pair]));
      weighted[pair] = score[pair] * plan.weights[offer];
      const eligible = plan.eligible[offer];
      if (eligible && !eligible[row]) rule[pair] = code['not-eligible'];
      else if (plan.excluded[offer]) rule[pair] = code['excluded-category'];
      else if (score[pair] < recommend.minimumScore) rule[pair] = code['below-minimum-score'];
      else {
        const chosen = channelFor(row, offer, lastDay, contacts.today, plan);
        if (chosen < 0) rule[pair] = chosen === notAgreed ? code['no-consent'] : code['cooldown'];
        else {
          channel[pair] = chosen;
          let place = found++;
          for (; place > 0 && weighted[candidates[place - 1]] < weighted[pair]; place--)
            candidates[place] = candidates[place - 1];
          candidates[place] = pair;
        }
      }
    }

    // the caps, from the best offer down
    inCategory.fill(0);
    let taken = 0;
    const leftThisMonth = caps.perMonth - contacts.thisMonth[row];
    for (let place = 0; place < found; place++) {
      const pair = candidates[place];
      const category = plan.categoryOf[pair - start];
      if (inCategory[category] >= caps.perCategory) rule[pair] = code['category-cap'];
      else if (taken >= leftThisMonth) rule[pair] = code['month-cap'];
      else if (taken >= top) rule[pair] = code['beyond-top'];
      else {
        inCategory[category]++;
        taken++;
        rule[pair] = recommended;
      }
    }
  }

  outcome.spentUsd = send(recommend, input, outcome);
  giveRanks(outcome);
  return outcome;
}

const code = Object.fromEntries(policyRules.map((rule, i) => [rule, i])) as { [Rule in PolicyRule]: number };

/** The declaration as the loop over pairs wants it, after a look at whether the input fits it. */
type Plan = {
  weights: Float64Array;
  excluded: Uint8Array;
  categoryOf: Uint16Array;
  categories: number;
  cooldownDays: Int32Array;
  eligible: (ArrayLike<number> | undefined)[];
  /** Of each offer, as indices into the channels. */
  channels: number[][];
  consent: ArrayLike<number>[];
};

function planOf({ offers, consent, excludedCategories }: Recommend, input: PolicyInput): Plan {
  const rows = input.keys.length;
  if (input.scores.length !== rows * offers.length)
    throw new ArgumentError(
      `The policy has ${input.scores.length} scores for ${rows} rows and ${offers.length} offers: it needs one for each pair.`,
    );
  ensureFinite('scores', input.scores);
  const flags = (values: ArrayLike<number> | undefined, what: string): ArrayLike<number> => {
    if (values?.length === rows) return values;
    throw new ArgumentError(`The policy has ${values?.length ?? 'no'} values of ${what} for ${rows} rows.`);
  };
  const names = Object.keys(consent);
  const categories = [...new Set(offers.map(({ category }) => category))];
  return {
    weights: Float64Array.from(offers, ({ priorityWeight }) => priorityWeight),
    excluded: Uint8Array.from(offers, ({ category }) => Number(excludedCategories.includes(category))),
    categoryOf: Uint16Array.from(offers, ({ category }) => categories.indexOf(category)),
    categories: categories.length,
    cooldownDays: Int32Array.from(offers, ({ cooldownDays }) => cooldownDays),
    eligible: offers.map((offer) =>
      offer.eligible === undefined ? undefined : flags(input.eligible[offer.id], `eligibility for ${offer.id}`),
    ),
    channels: offers.map(({ channels }) => channels.map((channel) => names.indexOf(channel))),
    consent: names.map((channel) => flags(input.consent[channel], `consent to ${channel}`)),
  };
}

const notAgreed = -1;
const coolingDown = -2;

/** The first of the offer's channels that the member agreed to and that is not cooling down, or why there is none. */
function channelFor(row: number, offer: number, lastDay: Float64Array, today: number, plan: Plan): number {
  const { channels, consent, cooldownDays } = plan;
  let why = notAgreed;
  for (const channel of channels[offer]) {
    if (!consent[channel][row]) continue;
    if (today - lastDay[offer * consent.length + channel] >= cooldownDays[offer]) return channel;
    why = coolingDown;
  }
  return why;
}

/** Sticky: a member falls on the same side in every run. */
function holdoutOf({ share, salt }: Recommend['holdout'], keys: readonly string[]): Uint8Array {
  return Uint8Array.from(keys, (key) => Number(keyShare(key, salt) < share));
}

/**
 * Sends what the money lasts for, the highest weighted score first; a dear contact that no longer fits leaves its place to a
 * cheaper one. Nothing is sent to the holdout, nor spent on it. Returns what is spent.
 */
function send(recommend: Recommend, input: PolicyInput, outcome: PolicyOutcome): number {
  const { budget, offers } = recommend;
  const { rule, holdout, channel } = outcome;
  // whole millionths, so that ten thousand contacts of two cents are two hundred dollars exactly
  const millionths = (usd: number) => Math.round(usd * 1e6);
  const cost = Object.keys(recommend.consent).map((name) => millionths(budget?.costPerContactUsd[name] ?? 0));
  const limit = budget ? millionths(budget.perRunUsd) : Infinity;

  let spent = 0;
  for (const pair of inTurn(recommend, input, outcome)) {
    const next = spent + cost[channel[pair]];
    if (next > limit) rule[pair] = code['over-budget'];
    else if (holdout[Math.floor(pair / offers.length)]) rule[pair] = code['holdout'];
    else spent = next;
  }
  return spent / 1e6;
}

/** The pairs that passed the caps: by weighted score, then by the draw of the day. Without a budget the order is all the same. */
function inTurn({ holdout, budget }: Recommend, { keys, asOfMs }: PolicyInput, outcome: PolicyOutcome): number[] {
  const { offers, rule, weighted } = outcome;
  const rows = Uint32Array.from(keys, (_, row) => row);
  if (budget) {
    // another draw than the holdout's, or its members would come first among equals
    const day = new Date(asOfMs).toISOString().slice(0, 10);
    const draw = Float64Array.from(keys, (key) => keyShare(key, `${holdout.salt}/${day}`));
    rows.sort((a, b) => draw[a] - draw[b]);
  }
  const pairs: number[] = [];
  for (const row of rows)
    for (let pair = row * offers; pair < (row + 1) * offers; pair++) if (rule[pair] === recommended) pairs.push(pair);
  // the sort is stable: equals stay in the order of the draw
  return budget ? pairs.sort((a, b) => weighted[b] - weighted[a]) : pairs;
}

/** Counts, for each row, what is left (or would be, but for the holdout) from the highest weighted score down. */
function giveRanks({ rows, offers, rule, rank, weighted }: PolicyOutcome): void {
  for (let row = 0; row < rows; row++) {
    const start = row * offers;
    for (let pair = start; pair < start + offers; pair++) {
      if (rule[pair] < code['holdout']) continue;
      let better = 0;
      for (let other = start; other < start + offers; other++) {
        if (rule[other] < code['holdout']) continue;
        if (weighted[other] > weighted[pair] || (weighted[other] === weighted[pair] && other < pair)) better++;
      }
      rank[pair] = better + 1;
    }
  }
}
