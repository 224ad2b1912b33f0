import { ArgumentError, ensureShare, ensureWhole } from '../ml/ensure.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import { criticalValue, normalQuantile } from '../ml/metrics/normal.ts';
import { proportion } from '../ml/metrics/proportion.ts';

/** One recommendation whose time to respond is over. Those of the holdout would have been sent and were not. */
export type Response = { entityKey: string; offerId: string; group: 'sent' | 'holdout'; responded: boolean };

export type Arm = { members: number; responded: number };

export type Uplift = {
  sent: Arm & { rate: Estimate };
  holdout: Arm & { rate: Estimate };
  /** The rate of the contacted less that of the holdout. */
  difference: Estimate;
  /** The smallest difference from the holdout's rate that these numbers would show, in four of five such measurements. */
  minimumDetectable: number;
};

/** The measurement, or that there are too few people to tell anything about them. */
export type MeasuredUplift = { uplift: Uplift; tooFew?: never } | { uplift?: never; tooFew: true };

export type UpliftOptions = {
  /** @default 0.95 */
  confidence?: number;
  /** Of the minimum detectable difference. @default 0.8 */
  power?: number;
  /** The smallest group that is told about. @default 11 */
  minimumGroup?: number;
};

/**
 * What being contacted changes, for all offers together and for each. Together, a member counts once: who responded to any of
 * their offers has responded. Offers are in the order of their ids; their intervals hold all together (Bonferroni), so that one of
 * sixteen offers is not called harmful by chance.
 */
export function measureUplift(
  responses: Iterable<Response>,
  options: UpliftOptions = {},
): { overall: MeasuredUplift; offers: { offerId: string; result: MeasuredUplift }[] } {
  const members = new Map<string, Response>();
  const byOffer = new Map<string, Map<string, Response>>();
  for (const response of responses) {
    const { entityKey, offerId } = response;
    if (!byOffer.has(offerId)) byOffer.set(offerId, new Map());
    for (const known of [members, byOffer.get(offerId)!]) {
      const earlier = known.get(entityKey);
      if (earlier !== undefined && earlier.group !== response.group)
        throw new ArgumentError('A member stands in the holdout and among the contacted: the salt must not change.');
      if (!earlier?.responded) known.set(entityKey, response);
    }
  }
  const measured = (of: Map<string, Response>, confidence: number) =>
    upliftOf(armOf(of, 'sent'), armOf(of, 'holdout'), { ...options, confidence });
  const { confidence = 0.95 } = options;
  const ofEach = 1 - (1 - confidence) / Math.max(1, byOffer.size);
  return {
    overall: measured(members, confidence),
    offers: [...byOffer]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([offerId, of]) => ({ offerId, result: measured(of, ofEach) })),
  };
}

/**
 * The difference of two response rates with Newcombe's hybrid score interval ("Interval estimation for the difference between
 * independent proportions", Statistics in Medicine 17, 1998, method 10), which holds its level in small samples and at rates near
 * zero.
 */
export function upliftOf(
  sent: Arm,
  holdout: Arm,
  { confidence = 0.95, power = 0.8, minimumGroup = 11 }: UpliftOptions = {},
): MeasuredUplift {
  ensureShare('confidence', confidence);
  ensureShare('power', power);
  for (const { members, responded } of [sent, holdout]) {
    ensureWhole('members', members, 0);
    ensureWhole('responded', responded, 0);
    if (responded > members) throw new ArgumentError(`${responded} of ${members} members have responded.`);
  }
  if (sent.members < minimumGroup || holdout.members < minimumGroup) return { tooFew: true };
  const [one, two] = [sent, holdout].map(({ responded, members }) => proportion(responded, members, confidence));
  const value = one.value - two.value;
  const difference = {
    value,
    low: value - Math.hypot(one.value - one.low, two.high - two.value),
    high: value + Math.hypot(one.high - one.value, two.value - two.low),
  };
  const minimumDetectable = minimumDetectableUplift(two.value, sent.members, holdout.members, { confidence, power });
  return {
    uplift: { sent: { ...sent, rate: one }, holdout: { ...holdout, rate: two }, difference, minimumDetectable },
  };
}

/**
 * The smallest rise above a base rate that a two-sided z-test of two proportions (pooled variance) finds with chance `power`:
 * Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions" (2003), 4.2, solved by bisection. NaN where no rise up to a
 * rate of 1 would do.
 */
export function minimumDetectableUplift(
  baseRate: number,
  sentMembers: number,
  holdoutMembers: number,
  { confidence = 0.95, power = 0.8 }: Pick<UpliftOptions, 'confidence' | 'power'> = {},
): number {
  const critical = criticalValue(confidence);
  const reserve = normalQuantile(power);
  const shortfall = (rise: number) => {
    const rate = baseRate + rise;
    const pooled = (rate * sentMembers + baseRate * holdoutMembers) / (sentMembers + holdoutMembers);
    const underNull = pooled * (1 - pooled) * (1 / sentMembers + 1 / holdoutMembers);
    const underRise = (rate * (1 - rate)) / sentMembers + (baseRate * (1 - baseRate)) / holdoutMembers;
    return critical * Math.sqrt(underNull) + reserve * Math.sqrt(underRise) - rise;
  };
  let [low, high] = [0, 1 - baseRate];
  if (!(shortfall(high) <= 0)) return NaN;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (shortfall(middle) > 0) low = middle;
    else high = middle;
  }
  return high;
}

function armOf(of: Map<string, Response>, group: Response['group']): Arm {
  const arm = { members: 0, responded: 0 };
  for (const response of of.values()) {
    if (response.group !== group) continue;
    arm.members++;
    if (response.responded) arm.responded++;
  }
  return arm;
}
