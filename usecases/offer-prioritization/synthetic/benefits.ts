import type { Dirt } from './csv-bytes.ts';
import { beta, exponential } from './draws.ts';
import { type Member, isListed } from './member.ts';
import { dayMs } from './months.ts';
import { type SourceWriter, dirtOf } from './source.ts';

/** Benefit statements: of each month and kind of benefit one record, with what was used of the plan year's maximum so far. */
export const benefits: SourceWriter = {
  header: [
    'record_id',
    'member_id',
    'benefit_type',
    'plan_year',
    'annual_max',
    'used_amount',
    'remaining_amount',
    'claims_count',
    'last_used_date',
    'recorded_at',
    'received_at',
  ],
  write(csv, member, { nowMs, monthEndsMs }, { dirtShare, partialShare }) {
    const dirt = dirtOf(member, 'benefits', kinds, 'record_id');
    const isPartial = member.random.fork('benefits partner').uniform() < partialShare;
    const sent = isPartial ? benefitTypes.filter((type) => type === 'medical' || type === 'pharmacy') : benefitTypes;
    for (const monthEndMs of monthEndsMs) {
      const recordedMs = monthEndMs - hourMs * 6;
      if (!isListed(member, recordedMs)) continue;
      const month = new Date(recordedMs).toISOString().slice(0, 7);
      const delays = member.random.fork(`statement ${month}`);
      const used = usageOf(member, recordedMs, nowMs);
      for (const type of sent) {
        const recordId = `${member.id}-${type}-${month}`;
        const maximum = Math.round(100 * annualMaxUsd[type] * planFactor[member.plan]);
        const usedCents = Math.round(used[type].share * maximum);
        const lastUsedDays = Math.min(365, Math.floor(exponential(delays, 60)));
        csv.begin(dirt(dirtShare, recordId));
        csv.text(recordId);
        csv.text(member.id);
        csv.text(type);
        csv.integer(new Date(recordedMs).getUTCFullYear());
        csv.hundredths(maximum);
        csv.hundredths(usedCents);
        csv.hundredths(maximum - usedCents);
        csv.integer(Math.floor(used[type].share * used[type].visits));
        if (used[type].share > 0.1) csv.day(recordedMs - lastUsedDays * dayMs);
        else csv.missing();
        csv.second(recordedMs);
        csv.second(recordedMs + delays.integer(7200) * 1000);
        csv.end();
      }
    }
  },
};

const hourMs = dayMs / 24;

const annualMaxUsd = {
  medical: 100_000,
  pharmacy: 5000,
  preventive: 2000,
  dental: 2000,
  vision: 500,
  mental_health: 5000,
  telehealth: 1000,
} as const;
type BenefitType = keyof typeof annualMaxUsd;
const benefitTypes = Object.keys(annualMaxUsd) as BenefitType[];

const planFactor: { [plan: string]: number } = { HMO: 0.9, PPO: 1.1, EPO: 1, HDHP: 0.8, POS: 1 };

/**
 * What was used of each benefit by a month: drawn for each plan year as of the month of the first delivery, less before it
 * and more after it in that year.
 */
function usageOf(
  member: Member,
  recordedMs: number,
  nowMs: number,
): { [type in BenefitType]: { share: number; visits: number } } {
  const draw = member.random.fork(`benefits ${new Date(recordedMs).getUTCFullYear()}`);
  const growth = throughYear(recordedMs) / throughYear(nowMs - 1);
  const drawn = benefitTypes.map((type) => {
    const share = Math.min(1, beta(draw, 2, 3) * adjustment(member, type) * growth);
    return [type, { share, visits: 1 + draw.integer(19) }] as const;
  });
  return Object.fromEntries(drawn) as { [type in BenefitType]: { share: number; visits: number } };
}

/** How far use has come by a month, of what it is in December: fast at first, as deductibles are met. */
function throughYear(atMs: number): number {
  return ((new Date(atMs).getUTCMonth() + 1) / 12) ** 0.25;
}

function adjustment({ age, chronicConditions }: Member, type: BenefitType): number {
  if (type === 'preventive') return age > 50 ? 1.2 : 0.9;
  if (type === 'pharmacy') return 1 + 0.2 * chronicConditions;
  if (type === 'mental_health') return age < 40 ? 1.3 : 0.8;
  return 1;
}

const kinds: readonly Dirt[] = [
  { rule: 'member_id.required', column: 'member_id', text: '' },
  { rule: 'benefit_known', column: 'benefit_type', text: 'fertility' },
  { rule: 'annual_max.exclusiveMinimum', column: 'annual_max', text: '0' },
  { rule: 'used_amount.type', column: 'used_amount', text: '$12.50' },
  { rule: 'amounts_add_up', column: 'remaining_amount', text: '99999999.00' },
  { rule: 'last_used_date.type', column: 'last_used_date', text: '31/01/2026' },
  { rule: 'csv.fields', fields: 'more' },
];
