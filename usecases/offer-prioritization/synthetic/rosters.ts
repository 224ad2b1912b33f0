import type { Random } from '../../../src/ml/random.ts';
import type { Dirt } from './csv-bytes.ts';
import { type Member, ageAt, isListed, regions, tenureAt } from './member.ts';
import { dayMs } from './months.ts';
import { type SourceWriter, dirtOf } from './source.ts';

/** The roster: of each month one record of every member, stated on its last evening and received the same night. */
export const members: SourceWriter = {
  header: [
    'record_id',
    'member_id',
    'first_name',
    'last_name',
    'date_of_birth',
    'email',
    'phone',
    'zip_code',
    'age',
    'gender',
    'region',
    'plan_type',
    'tenure_months',
    'enrollment_date',
    'income_bracket',
    'family_size',
    'risk_score',
    'chronic_condition_count',
    'consent_email',
    'consent_sms',
    'consent_phone',
    'consent_mail',
    'consent_app',
    'consent_portal',
    'recorded_at',
    'received_at',
  ],
  write(csv, member, { monthEndsMs }, { dirtShare }) {
    const contact = contactOf(member);
    const dirt = dirtOf(member, 'members', kinds, 'record_id');
    const delays = member.random.fork('roster delays');
    for (const monthEndMs of monthEndsMs) {
      const recordedMs = monthEndMs - 6 * hourMs;
      const receivedMs = recordedMs + delays.integer(7200) * 1000;
      if (!isListed(member, recordedMs)) continue;
      const recordId = `${member.id}-${new Date(recordedMs).toISOString().slice(0, 7)}`;
      csv.begin(dirt(dirtShare, recordId));
      csv.text(recordId);
      csv.text(member.id);
      csv.text(contact.firstName);
      csv.text(contact.lastName);
      csv.day(member.bornMs);
      csv.text(contact.email);
      csv.text(contact.phone);
      csv.text(contact.zip);
      csv.integer(ageAt(member.bornMs, recordedMs));
      csv.text(member.gender);
      csv.text(member.region);
      csv.text(member.plan);
      csv.integer(tenureAt(member.enrolledMs, recordedMs));
      csv.day(member.enrolledMs);
      csv.text(member.income);
      csv.integer(member.familySize);
      csv.hundredths(member.riskHundredths);
      csv.integer(member.chronicConditions);
      for (const consent of contact.consents) csv.boolean(consent);
      csv.second(recordedMs);
      csv.second(receivedMs);
      csv.end();
    }
  },
};

const hourMs = dayMs / 24;

const kinds: readonly Dirt[] = [
  { rule: 'age.type', column: 'age', text: 'unknown' },
  { rule: 'age.minimum', column: 'age', text: '17' },
  { rule: 'member_id.required', column: 'member_id', text: '' },
  { rule: 'member_id.pattern', column: 'member_id', text: 'MEM_12' },
  { rule: 'plan_known', column: 'plan_type', text: 'INDEMNITY' },
  { rule: 'risk_score.maximum', column: 'risk_score', text: '730.00' },
  { rule: 'consent_email.type', column: 'consent_email', text: 'perhaps' },
  { rule: 'received_after_recorded', column: 'received_at', text: '2001-01-01T00:00:00Z' },
  { rule: 'csv.fields', fields: 'fewer' },
];

/** What identifies a member and never leaves the PHI zone, and the channels they agreed to be addressed by. */
function contactOf({ id, region, random }: Member) {
  const draw = random.fork('contact');
  const firstName = draw.choice(firstNames);
  const lastName = draw.choice(lastNames);
  const [low, high] = zipAreas[region as (typeof regions)[number]];
  const digits = (count: number) => String(draw.integer(10 ** count)).padStart(count, '0');
  return {
    firstName,
    lastName,
    email: `${firstName}.${lastName}.${id.slice(4)}@example.com`.toLowerCase(),
    // 555-0100 to 555-0199 are kept free for invented people
    phone: `+1-${201 + draw.integer(700)}-555-01${digits(2)}`,
    zip: `${String(low + draw.integer(high - low + 1)).padStart(3, '0')}${digits(2)}`,
    consents: consentShares.map((share) => isGiven(draw, share)),
  };
}

const isGiven = (draw: Random, share: number): boolean => draw.uniform() < share;

/** Of email, sms, phone, mail, app and portal, in the header's order. */
const consentShares = [0.8, 0.55, 0.5, 0.85, 0.7, 0.75] as const;

/** The first and last three-digit ZIP area of each region; some areas are so small that they are told as 000. */
const zipAreas: { [region in (typeof regions)[number]]: readonly [number, number] } = {
  Northeast: [10, 199],
  Southeast: [200, 399],
  Midwest: [430, 699],
  Southwest: [730, 799],
  West: [800, 994],
};

const firstNames = ['Ada', 'Ben', 'Carla', 'Dev', 'Elena', 'Farid', 'Grace', 'Hugo', 'Iris', 'Jonas', 'Kira', 'Liam', 'Mona', 'Nils', 'Olga', 'Pia']; // prettier-ignore
const lastNames = ['Abbott', 'Brandt', 'Castillo', 'Dvorak', 'Eriksen', 'Fontaine', 'Gupta', 'Horvat', 'Ito', 'Jensen', 'Kowalski', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Petrov']; // prettier-ignore
