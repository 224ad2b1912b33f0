import type { Random } from '../../../src/ml/random.ts';
import type { Dirt } from './csv-bytes.ts';
import { count, countIn, exponential, secondIn } from './draws.ts';
import type { Member } from './member.ts';
import { dayMs, stretchesOf } from './months.ts';
import { type SourceWriter, dirtOf } from './source.ts';

const claimDays = 730;

/** Claims by the time at which the provider filed them, and received days later, by some partners months later. */
export const claims: SourceWriter = {
  header: [
    'record_id',
    'claim_id',
    'member_id',
    'claim_type',
    'diagnosis_category',
    'provider_type',
    'service_date',
    'filed_at',
    'billed_amount',
    'allowed_amount',
    'paid_amount',
    'member_responsibility',
    'in_network',
    'status',
    'received_at',
  ],
  write(csv, member, delivery, { dirtShare, seasonality, lateShare, inflation }) {
    const of = countOfClaims(member);
    const [types, diagnoses] = [typeWeights(member), diagnosisWeights(member)];
    const dirt = dirtOf(member, 'claims', kinds, 'record_id');
    for (const { label, startMs, endMs } of stretchesOf(delivery, claimDays)) {
      const draw = member.random.fork(`claims ${label}`);
      const share = (endMs - startMs) / (claimDays * dayMs);
      const claims = label === '0' ? count(draw, of) : countIn(draw, of, share);
      for (let i = 1; i <= claims; i++) {
        const filedMs = secondIn(draw, startMs, endMs, seasonality);
        const careMs = filedMs - Math.floor(exponential(draw, 4)) * dayMs;
        const receivedMs = receivedAt(draw, filedMs, endMs, lateShare);
        const type = draw.weighted(typeNames, types);
        const diagnosis = type === 'preventive' ? 'general_wellness' : draw.weighted(diagnosisNames, diagnoses);
        const money = moneyOf(draw, type, inflation);
        const isInNetwork = draw.uniform() < 0.85;
        const status = draw.weighted(['paid', 'pending', 'denied'], [0.9, 0.07, 0.03]);
        if (receivedMs < delivery.startMs || receivedMs >= delivery.endMs) continue;

        const claimId = `CLM_${member.id.slice(4)}_${label}_${i}`;
        const recordId = `${claimId}-1`;
        csv.begin(dirt(dirtShare, recordId));
        csv.text(recordId);
        csv.text(claimId);
        csv.text(member.id);
        csv.text(type);
        csv.text(diagnosis);
        csv.text(claimTypes[type].provider);
        csv.day(careMs);
        csv.second(filedMs);
        csv.hundredths(money.billed);
        csv.hundredths(money.allowed);
        csv.hundredths(money.paid);
        csv.hundredths(money.memberShare);
        csv.boolean(isInNetwork);
        csv.text(status);
        csv.second(receivedMs);
        csv.end();
      }
    }
  },
};

function countOfClaims({ age, riskHundredths, chronicConditions }: Member) {
  return {
    mean: 3,
    factor: (1 + (age - 40) / 100) * (1 + riskHundredths / 10_000) * (1 + 0.3 * chronicConditions),
    most: 50,
  };
}

/** Most partners send within days, and all they have before they close the month; a late one only 30 days later or more. */
function receivedAt(draw: Random, filedMs: number, monthEndMs: number, lateShare: number): number {
  const isLate = draw.uniform() < lateShare;
  const days = isLate ? 30 + exponential(draw, 30) : exponential(draw, 2);
  const receivedMs = filedMs + Math.floor(days * 86_400) * 1000;
  return isLate ? receivedMs : Math.min(receivedMs, monthEndMs - 1000);
}

/**
 * Cents. Allowed, paid and the member's share are drawn as shares of the billed amount, each by itself; where paid and share
 * together would exceed what is allowed, both are cut in proportion, so that the two keep their ratio and add up to it.
 */
function moneyOf(draw: Random, type: keyof typeof claimTypes, inflation: number) {
  const [low, high] = claimTypes[type].usd;
  const billed = Math.round(100 * inflation * ((low + high) / 2) * Math.exp(draw.normal(0, 0.5)));
  const allowed = Math.round(billed * (0.7 + 0.3 * draw.uniform()));
  const paid = billed * (0.5 + 0.4 * draw.uniform());
  const memberShare = billed * (0.05 + 0.25 * draw.uniform());
  const cut = Math.min(1, allowed / (paid + memberShare));
  return { billed, allowed, paid: Math.floor(paid * cut), memberShare: Math.floor(memberShare * cut) };
}

const claimTypes = {
  preventive: { weight: 0.15, usd: [100, 500], provider: 'primary_care_physician' },
  primary_care: { weight: 0.25, usd: [150, 400], provider: 'primary_care_physician' },
  specialist: { weight: 0.15, usd: [200, 800], provider: 'specialist_physician' },
  emergency: { weight: 0.05, usd: [500, 5000], provider: 'hospital' },
  inpatient: { weight: 0.03, usd: [5000, 50_000], provider: 'hospital' },
  outpatient: { weight: 0.12, usd: [500, 3000], provider: 'outpatient_clinic' },
  lab: { weight: 0.1, usd: [50, 500], provider: 'laboratory' },
  imaging: { weight: 0.08, usd: [200, 2000], provider: 'imaging_centre' },
  procedure: { weight: 0.07, usd: [1000, 10_000], provider: 'outpatient_clinic' },
} as const;
const typeNames = Object.keys(claimTypes) as (keyof typeof claimTypes)[];

function typeWeights({ age, chronicConditions }: Member): number[] {
  return typeNames.map((type) => {
    let { weight }: { weight: number } = claimTypes[type];
    if (age > 60 && (type === 'specialist' || type === 'inpatient')) weight *= 1.5;
    if (chronicConditions > 0 && type === 'specialist') weight *= 1.3;
    if (chronicConditions > 0 && type === 'lab') weight *= 1.2;
    return weight;
  });
}

const diagnosisNames = [
  'general_wellness',
  'cardiovascular',
  'diabetes',
  'respiratory',
  'mental_health',
  'musculoskeletal',
  'gastrointestinal',
  'dermatological',
  'neurological',
  'oncology',
  'endocrine',
] as const;

function diagnosisWeights({ age }: Member): number[] {
  return diagnosisNames.map((diagnosis) => {
    if (diagnosis === 'cardiovascular' && age > 50) return 2;
    if (diagnosis === 'musculoskeletal' && age > 50) return 1.5;
    return diagnosis === 'mental_health' && age < 40 ? 1.5 : 1;
  });
}

const kinds: readonly Dirt[] = [
  { rule: 'claim_id.required', column: 'claim_id', text: '' },
  { rule: 'member_id.pattern', column: 'member_id', text: 'MBR-unknown' },
  { rule: 'claim_type_known', column: 'claim_type', text: 'er_visit' },
  { rule: 'diagnosis_known', column: 'diagnosis_category', text: 'E11.9' },
  { rule: 'filed_at.type', column: 'filed_at', text: '2026-02-30T00:00:00Z' },
  { rule: 'billed_amount.type', column: 'billed_amount', text: '1.2e4' },
  { rule: 'billed_amount.exclusiveMinimum', column: 'billed_amount', text: '-120.00' },
  { rule: 'allowed_within_billed', column: 'allowed_amount', text: '99999999.00' },
  { rule: 'paid_within_allowed', column: 'paid_amount', text: '99999999.00' },
  { rule: 'received_after_filed', column: 'received_at', text: '2001-01-01T00:00:00Z' },
  { rule: 'csv.fields', fields: 'fewer' },
  { rule: 'csv.fields', fields: 'more' },
];
