import { createHash } from 'node:crypto';
import type { Delivered, Row } from './deliveries.ts';

/*
 * The features and labels as the specification words them, member by member and record by record, without SQL.
 */

const day = 86_400_000;
const ms = (text: string): number => Date.parse(text);

export type Known = number | boolean | string | null;
export type Figures = { [column: string]: Known };

/** The month starts that follow a roster about the member, the last four. */
export function referenceDates(delivered: Delivered, memberId: string): number[] {
  const starts = delivered.members
    .filter((row) => row.member_id === memberId)
    .map(({ received_at: receivedAt }) => {
      const received = new Date(receivedAt);
      return Date.UTC(received.getUTCFullYear(), received.getUTCMonth() + 1);
    });
  return [...new Set(starts)].sort((a, b) => a - b).slice(-4);
}

/** What was known of a member at a time. */
export function featuresAt(delivered: Delivered, memberId: string, at: number): Figures {
  const of = (rows: Row[], happened: string) =>
    rows.filter((row) => row.member_id === memberId && ms(row.received_at) <= at && ms(row[happened]) <= at);
  const [roster] = of(delivered.members, 'recorded_at').sort((a, b) => ms(b.recorded_at) - ms(a.recorded_at));
  const date = new Date(at);
  return {
    member_id: memberId,
    reference_date: date.toISOString(),
    ...demographic(roster),
    ...claimFigures(newestVersions(delivered.claims, memberId, at), at),
    ...benefitFigures(of(delivered.benefits, 'recorded_at'), at),
    ...eventFigures(
      of(delivered.engagement, 'occurred_at').filter((row) => row.event_type !== 'offer_sent'),
      at,
    ),
    ...calendar(date),
    ...Object.fromEntries(
      ['email', 'sms', 'phone', 'mail', 'app', 'portal'].map((channel) => [
        `consent_${channel}`,
        roster[`consent_${channel}`] === 'true',
      ]),
    ),
  };
}

function demographic(roster: Row): Figures {
  const [age, tenure, chronic] = [+roster.age, +roster.tenure_months, +roster.chronic_condition_count];
  const right = (value: number, edges: number[], names: string[]) => names[edges.findIndex((edge) => value <= edge)];
  return {
    age,
    tenure_months: tenure,
    family_size: +roster.family_size,
    risk_score: +roster.risk_score,
    chronic_condition_count: chronic,
    gender: roster.gender,
    region: roster.region,
    plan_type: roster.plan_type,
    income_bracket: roster.income_bracket,
    age_group: right(age, [26, 35, 50, 65, 120], ['18-26', '27-35', '36-50', '51-65', '66+']),
    tenure_group: right(
      tenure,
      [12, 24, 60, 120, 300],
      ['up to 1 year', 'up to 2 years', 'up to 5 years', 'up to 10 years', 'over 10 years'],
    ),
    is_senior: age >= 65,
    is_new_member: tenure <= 12,
    has_chronic_condition: chronic > 0,
    high_risk_flag: +roster.risk_score > 70,
  };
}

/** Of each claim what had arrived last; then what was filed within 730 days. */
function newestVersions(claims: Row[], memberId: string, at: number): Row[] {
  const newest = new Map<string, Row>();
  for (const row of claims) {
    if (row.member_id !== memberId || ms(row.received_at) > at) continue;
    const held = newest.get(row.claim_id);
    if (!held || ms(row.received_at) > ms(held.received_at)) newest.set(row.claim_id, row);
  }
  return [...newest.values()].filter((row) => ms(row.filed_at) <= at && at - ms(row.filed_at) <= 730 * day);
}

function claimFigures(claims: Row[], at: number): Figures {
  const ages = claims.map((row) => (at - ms(row.filed_at)) / day);
  const within = (days: number) => ages.filter((age) => age <= days).length;
  const billed = claims.map((row) => +row.billed_amount);
  const paid = claims.map((row) => +row.paid_amount);
  const member = claims.map((row) => +row.member_responsibility);
  const real = new Set(claims.map((row) => row.diagnosis_category).filter((name) => name !== 'general_wellness'));
  const visits = ['preventive', 'primary_care', 'specialist', 'emergency', 'inpatient', 'outpatient', 'lab', 'imaging', 'procedure']; // prettier-ignore
  const flags = ['diabetes', 'cardiovascular', 'respiratory', 'mental_health', 'musculoskeletal', 'gastrointestinal', 'neurological', 'oncology']; // prettier-ignore
  return {
    total_claims: claims.length,
    total_claim_amount: sum(billed),
    avg_claim_amount: mean(billed) ?? 0,
    std_claim_amount: deviation(billed) ?? 0,
    max_claim_amount: Math.max(0, ...billed),
    total_paid_amount: sum(paid),
    avg_paid_amount: mean(paid) ?? 0,
    total_member_cost: sum(member),
    avg_member_cost: mean(member) ?? 0,
    in_network_rate: mean(claims.map((row) => Number(row.in_network === 'true'))),
    claims_last_30d: within(30),
    claims_last_90d: within(90),
    claims_last_180d: within(180),
    claims_last_365d: within(365),
    ...Object.fromEntries(
      visits.map((type) => [`${type}_visit_count`, claims.filter((row) => row.claim_type === type).length]),
    ),
    days_since_last_claim: claims.length === 0 ? 365 : Math.floor(Math.min(...ages)),
    claim_frequency_trend: within(180) / (within(365) + 1),
    cost_per_claim: sum(billed) / (claims.length + 1),
    ...Object.fromEntries(flags.map((name) => [`has_${name}`, real.has(name)])),
    unique_diagnosis_count: real.size,
    is_complex_patient: real.size >= 3,
  };
}

function benefitFigures(statements: Row[], at: number): Figures {
  const types = ['medical', 'pharmacy', 'preventive', 'dental', 'vision', 'mental_health', 'telehealth'];
  const last = types.map((type) =>
    statements
      .filter((row) => row.benefit_type === type)
      .sort((a, b) => ms(b.recorded_at) - ms(a.recorded_at) || ms(b.received_at) - ms(a.received_at))
      .at(0),
  );
  const told = last.filter((row) => row !== undefined);
  const rates = told.map((row) => +row.used_amount / +row.annual_max);
  const [used, remaining, maximum] = ['used_amount', 'remaining_amount', 'annual_max'].map((column) =>
    sum(told.map((row) => +row[column])),
  );
  // calendar days from the last use to the statement, then whole days to the date
  const since = told
    .filter((row) => row.last_used_date !== '')
    .map((row) => {
      const recorded = ms(row.recorded_at);
      return (Math.floor(recorded / day) * day - ms(row.last_used_date)) / day + Math.floor((at - recorded) / day);
    });
  return {
    ...Object.fromEntries(
      types.map((type, i) => [
        `${type}_utilization_rate`,
        last[i] === undefined ? null : +last[i].used_amount / +last[i].annual_max,
      ]),
    ),
    total_benefits_used: used,
    total_benefits_remaining: remaining,
    total_benefits_max: maximum,
    avg_utilization_rate: mean(rates),
    max_utilization_rate: rates.length === 0 ? null : Math.max(...rates),
    std_utilization_rate: deviation(rates) ?? 0,
    total_benefit_claims: sum(told.map((row) => +row.claims_count)),
    remaining_deductible_pct: told.length === 0 ? null : remaining / (maximum + 1),
    days_since_last_benefit_use: since.length === 0 ? 365 : Math.min(...since),
  };
}

function eventFigures(known: Row[], at: number): Figures {
  const events = known.filter((row) => at - ms(row.occurred_at) <= 365 * day);
  const ages = events.map((row) => (at - ms(row.occurred_at)) / day);
  const total = events.length;
  const recent = ages.filter((age) => age <= 30).length;
  const channels = ['app', 'email', 'mail', 'phone', 'portal', 'sms'];
  const used = channels.map((channel) => events.filter((row) => row.channel === channel).length);
  const types = ['app_open', 'offer_view', 'offer_click', 'content_view', 'portal_login', 'appointment_schedule', 'survey_complete']; // prettier-ignore
  return {
    total_engagements: total,
    avg_response_rate: mean(events.map((row) => Number(row.response === 'true'))),
    avg_session_seconds:
      mean(events.filter((row) => row.session_seconds !== '').map((row) => +row.session_seconds)) ?? 0,
    engagements_last_30d: recent,
    engagements_last_90d: ages.filter((age) => age <= 90).length,
    ...Object.fromEntries(channels.map((channel, i) => [`${channel}_engagement_rate`, used[i] / (total + 1)])),
    ...Object.fromEntries(
      types.map((type) => [`${type}_count`, events.filter((row) => row.event_type === type).length]),
    ),
    preferred_channel: total === 0 ? null : channels[used.indexOf(Math.max(...used))],
    days_since_last_engagement: total === 0 ? 365 : Math.floor(Math.min(...ages)),
    engagement_trend: (recent / (total + 1)) * 12,
  };
}

function calendar(date: Date): Figures {
  const month = date.getUTCMonth() + 1;
  const left = (Date.UTC(date.getUTCFullYear(), 11, 31) - date.getTime()) / day;
  return {
    month,
    quarter: Math.ceil(month / 3),
    is_q4: month > 9,
    is_open_enrollment: [10, 11, 12].includes(month),
    is_flu_season: [10, 11, 12, 1, 2, 3].includes(month),
    is_allergy_season: [3, 4, 5, 9, 10].includes(month),
    days_until_year_end: left,
    benefits_urgency: 1 - left / 365,
  };
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]): number | null => (values.length === 0 ? null : sum(values) / values.length);
/** Of a sample. */
function deviation(values: number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values)!;
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

type Rule = { base: number; boosts: [points: number, holds: (f: Figures) => boolean][] };
const least = (column: string, value: number) => (f: Figures) => f[column] !== null && Number(f[column]) >= value;
const most = (column: string, value: number) => (f: Figures) => f[column] !== null && Number(f[column]) <= value;
const is = (column: string) => (f: Figures) => f[column] === true;

/** The rule scorer's table. */
const rules: { [offer: string]: Rule } = {
  PREV_001: { base: 60, boosts: [[10, least('age', 40)], [15, least('days_since_last_claim', 180)], [10, is('has_chronic_condition')]] },
  PREV_002: { base: 55, boosts: [[20, least('age', 50)], [15, is('high_risk_flag')]] },
  CHRON_001: { base: 50, boosts: [[40, is('has_diabetes')], [10, is('high_risk_flag')], [5, least('pharmacy_utilization_rate', 0.3)]] },
  CHRON_002: { base: 50, boosts: [[40, is('has_cardiovascular')], [10, least('age', 50)], [10, is('high_risk_flag')]] },
  CHRON_003: { base: 50, boosts: [[40, is('has_respiratory')], [5, is('is_allergy_season')]] },
  MH_001: { base: 55, boosts: [[35, is('has_mental_health')], [10, most('age', 45)], [5, least('engagement_trend', 0.5)]] },
  MH_002: { base: 50, boosts: [[10, least('total_claims', 10)], [10, least('avg_response_rate', 0.2)]] },
  PHARM_001: { base: 45, boosts: [[20, least('pharmacy_utilization_rate', 0.4)], [15, least('total_member_cost', 500)]] },
  PHARM_002: { base: 45, boosts: [[15, least('pharmacy_utilization_rate', 0.3)], [10, is('has_chronic_condition')]] },
  TELE_001: { base: 50, boosts: [[15, least('app_engagement_rate', 0.2)], [10, least('primary_care_visit_count', 2)]] },
  TELE_002: { base: 45, boosts: [[20, least('specialist_visit_count', 2)], [15, is('is_complex_patient')]] },
  FIT_001: { base: 40, boosts: [[10, most('age', 55)], [10, is('has_cardiovascular')], [10, is('has_diabetes')]] },
  FIT_002: { base: 45, boosts: [[15, is('has_diabetes')], [10, is('has_cardiovascular')], [10, is('high_risk_flag')]] },
  NAV_001: { base: 40, boosts: [[30, is('is_complex_patient')], [15, least('total_claims', 15)], [10, least('chronic_condition_count', 2)]] },
  COST_001: { base: 45, boosts: [[15, least('remaining_deductible_pct', 0.5)], [20, is('is_q4')]] },
  COST_002: { base: 45, boosts: [[20, most('in_network_rate', 0.8)], [10, least('total_member_cost', 500)]] },
}; // prettier-ignore

/** The offers of the rule scorer, and each boost by its position. */
export const boosts = Object.entries(rules).flatMap(([offer, { boosts: list }]) => list.map((_, i) => ({ offer, i })));
export const isFired = ({ offer, i }: { offer: string; i: number }, features: Figures): boolean =>
  rules[offer].boosts[i][1](features);

export function ruleScore(offer: string, features: Figures): number {
  const { base, boosts: list } = rules[offer];
  return list.reduce((points, [extra, holds]) => points + (holds(features) ? extra : 0), base);
}

/** Noise of standard deviation 5, from the hash of seed, member, date and offer. */
export function noise(offer: string, features: Figures): number {
  const date = String(features.reference_date).slice(0, 10);
  const stem = `42/${String(features.member_id)}/${date}/${offer}`;
  const digest = createHash('md5').update(stem).digest();
  // the hash is a number of 128 bits, its first byte the lowest
  const u = Number(digest.readBigUInt64LE(8) >> 12n) / 2 ** 52;
  const v = Number(digest.readBigUInt64LE(0) & (2n ** 52n - 1n)) / 2 ** 52;
  return 5 * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
