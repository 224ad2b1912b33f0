import { describe, expect, test } from 'vitest';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import { type Delivered, type Row, rowsOf, sources, together } from './deliveries.ts';

/*
 * The draws against the specification's own numbers. Means are compared within four standard errors, counts by Pearson's
 * chi-square within four standard deviations of its distribution; the seed is fixed, so that nothing is left to luck.
 */
const clean = { dirtShare: 0, lateShare: 0 };
const world = rowsOf(generate({ ...clean, members: 1000 }));
const ages = new Map(world.members.map((row) => [row.member_id, row]));
const of = (row: Row): Row => ages.get(row.member_id)!;

/** How many standard errors the mean is away from what is expected. */
function errorOfMean(values: number[], mean: number, deviation: number): number {
  const found = values.reduce((sum, value) => sum + value, 0) / values.length;
  return (Math.abs(found - mean) / deviation) * Math.sqrt(values.length);
}

/** Chi-square of the counts against what is expected by level, in standard deviations above its mean. */
function misfit(values: string[], expected: { [level: string]: number }): number {
  if (values.some((value) => !(value in expected))) return Infinity;
  const levels = Object.entries(expected);
  const freedom = levels.length - 1;
  const square = levels.reduce(
    (sum, [level, n]) => sum + (values.filter((value) => value === level).length - n) ** 2 / n,
    0,
  );
  return (square - freedom) / Math.sqrt(2 * freedom);
}

const shares = (total: number, parts: { [level: string]: number }) => {
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  return Object.fromEntries(Object.entries(parts).map(([level, part]) => [level, (total * part) / sum]));
};
const column = (rows: Row[], name: string) => rows.map((row) => row[name]);
const numbers = (rows: Row[], name: string) => rows.map((row) => +row[name]);
const isTrue = (rows: Row[], name: string) => rows.map((row) => Number(row[name] === 'true'));
const perMember = (rows: Row[]) => {
  const counts = new Map(world.members.map((row) => [row.member_id, 0]));
  for (const row of rows) counts.set(row.member_id, counts.get(row.member_id)! + 1);
  return counts;
};

/** Mean and variance of int(Poisson(mean) · factor), at most `most`. */
function momentsOfCount(mean: number, factor: number, most: number): [mean: number, variance: number] {
  let [first, second, probability] = [0, 0, Math.exp(-mean)];
  for (let n = 0; n < 200; n++) {
    const value = Math.min(most, Math.trunc(n * factor));
    first += probability * value;
    second += probability * value * value;
    probability *= mean / (n + 1);
  }
  return [first, second - first * first];
}

/** How many standard deviations the count is away from what is expected of all members, each with its own distribution. */
function errorOfCounts(rows: Row[], moments: (member: Row) => [number, number]): number {
  const parts = world.members.map(moments);
  const expected = parts.reduce((sum, [mean]) => sum + mean, 0);
  const deviation = Math.sqrt(parts.reduce((sum, [, variance]) => sum + variance, 0));
  return Math.abs(rows.length - expected) / deviation;
}

describe('members are drawn as specified', () => {
  const { members } = world;

  test('ages of 18 to 84 by their weights', () => {
    const weight = (age: number) => (age < 26 ? 0.8 : age < 35 ? 1.2 : age < 50 ? 1.5 : age < 65 ? 1.3 : 0.7);
    const band = (age: number) => (age < 26 ? 'a' : age < 35 ? 'b' : age < 50 ? 'c' : age < 65 ? 'd' : 'e');
    const bands: { [band: string]: number } = {};
    for (let age = 18; age <= 84; age++) bands[band(age)] = (bands[band(age)] ?? 0) + weight(age);
    expect(numbers(members, 'age').every((age) => age >= 18 && age <= 84)).toBe(true);
    expect(misfit(numbers(members, 'age').map(band), shares(1000, bands))).toBeLessThan(4);
  });

  test.each([
    ['gender', { M: 0.48, F: 0.5, O: 0.02 }],
    ['region', { Northeast: 1, Southeast: 1, Midwest: 1, Southwest: 1, West: 1 }],
    ['plan_type', { HMO: 0.25, PPO: 0.35, EPO: 0.2, HDHP: 0.1, POS: 0.1 }],
    [
      'income_bracket',
      { '<30K': 0.1, '30K-50K': 0.2, '50K-75K': 0.25, '75K-100K': 0.2, '100K-150K': 0.15, '>150K': 0.1 },
    ],
    ['family_size', { 1: 0.25, 2: 0.3, 3: 0.2, 4: 0.15, 5: 0.07, 6: 0.03 }],
  ])('%s by its shares', (name, parts) => expect(misfit(column(members, name), shares(1000, parts))).toBeLessThan(4));

  test('tenure exponential with 36 months within 1 to 240, and told by the day of enrolment', () => {
    const survival = (months: number) => Math.exp((-months * 30.4375) / 1095);
    for (const months of [12, 36, 72])
      expect(
        errorOfMean(
          numbers(members, 'tenure_months').map((tenure) => Number(tenure >= months)),
          survival(months),
          Math.sqrt(survival(months) * (1 - survival(months))),
        ),
      ).toBeLessThan(4);
    for (const row of members) {
      const months = (Date.UTC(2026, 0, 31, 18) - Date.parse(row.enrollment_date)) / 86_400_000 / 30.4375;
      expect(+row.tenure_months).toBe(Math.min(240, Math.max(1, Math.floor(months))));
    }
  });

  test('risk 100 · Beta(2, 5), age as of the date of birth', () => {
    expect(errorOfMean(numbers(members, 'risk_score'), 200 / 7, 100 * Math.sqrt(10 / 392))).toBeLessThan(4);
    for (const { age, date_of_birth: born } of members) {
      const years = 2026 - +born.slice(0, 4) - Number(born.slice(5) > '01-31');
      expect(years).toBe(+age);
    }
  });

  test('chronic conditions by five trials of halving chance', () => {
    const chances = members.map((row) =>
      [0, 1, 2, 3, 4].map((t) => Math.min(0.1 + (+row.age - 30) / 200, 0.5) / 2 ** t),
    );
    const expected = chances.flat().reduce((sum, p) => sum + p, 0);
    const variance = chances.flat().reduce((sum, p) => sum + p * (1 - p), 0);
    const found = numbers(members, 'chronic_condition_count').reduce((sum, n) => sum + n, 0);
    expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(variance));
  });
});

describe('claims are drawn as specified', () => {
  const { claims } = world;

  test('so many of each member within 730 days, at any time of them', () => {
    expect(
      errorOfCounts(claims, (row) =>
        momentsOfCount(
          3,
          (1 + (+row.age - 40) / 100) * (1 + +row.risk_score / 100) * (1 + 0.3 * +row.chronic_condition_count),
          50,
        ),
      ),
    ).toBeLessThan(4);
    const days = claims.map((row) => (Date.UTC(2026, 1, 1) - Date.parse(row.filed_at)) / 86_400_000);
    expect(days.every((age) => age > 0 && age <= 730)).toBe(true);
    expect(errorOfMean(days, 365, 730 / Math.sqrt(12))).toBeLessThan(4);
  });

  test('types and diagnoses by the weights of the member', () => {
    const types = { preventive: 0.15, primary_care: 0.25, specialist: 0.15, emergency: 0.05, inpatient: 0.03, outpatient: 0.12, lab: 0.1, imaging: 0.08, procedure: 0.07 }; // prettier-ignore
    const expected: { [level: string]: number } = {};
    for (const claim of claims) {
      const [age, chronic] = [+of(claim).age, +of(claim).chronic_condition_count];
      const weights: { [type: string]: number } = { ...types };
      if (age > 60) weights.specialist *= 1.5;
      if (age > 60) weights.inpatient *= 1.5;
      if (chronic > 0) weights.specialist *= 1.3;
      if (chronic > 0) weights.lab *= 1.2;
      for (const [type, share] of Object.entries(shares(1, weights))) expected[type] = (expected[type] ?? 0) + share;
    }
    expect(misfit(column(claims, 'claim_type'), expected)).toBeLessThan(4);

    const names = ['general_wellness', 'cardiovascular', 'diabetes', 'respiratory', 'mental_health', 'musculoskeletal', 'gastrointestinal', 'dermatological', 'neurological', 'oncology', 'endocrine']; // prettier-ignore
    const ill = claims.filter((row) => row.claim_type !== 'preventive');
    const diagnoses: { [level: string]: number } = {};
    for (const claim of ill) {
      const age = +of(claim).age;
      const weights: { [name: string]: number } = Object.fromEntries(names.map((name) => [name, 1]));
      if (age > 50) weights.cardiovascular = 2;
      if (age > 50) weights.musculoskeletal = 1.5;
      if (age < 40) weights.mental_health = 1.5;
      for (const [name, share] of Object.entries(shares(1, weights))) diagnoses[name] = (diagnoses[name] ?? 0) + share;
    }
    expect(misfit(column(ill, 'diagnosis_category'), diagnoses)).toBeLessThan(4);
    expect(
      claims.every((row) => row.claim_type !== 'preventive' || row.diagnosis_category === 'general_wellness'),
    ).toBe(true);
  });

  test('amounts log-normal about the middle of the type’s range, and allowed U(.7, 1) of them', () => {
    const middles: { [type: string]: number } = { preventive: 300, primary_care: 275, specialist: 500, emergency: 2750, inpatient: 27_500, outpatient: 1750, lab: 275, imaging: 1100, procedure: 5500 }; // prettier-ignore
    const standardised = claims.map((row) => Math.log(+row.billed_amount / middles[row.claim_type]) / 0.5);
    expect(errorOfMean(standardised, 0, 1)).toBeLessThan(4);
    expect(
      errorOfMean(
        standardised.map((value) => value * value),
        1,
        Math.SQRT2,
      ),
    ).toBeLessThan(4);
    const allowed = claims.map((row) => +row.allowed_amount / +row.billed_amount);
    expect(errorOfMean(allowed, 0.85, 0.3 / Math.sqrt(12))).toBeLessThan(4);
    expect(errorOfMean(isTrue(claims, 'in_network'), 0.85, Math.sqrt(0.85 * 0.15))).toBeLessThan(4);
    expect(
      misfit(column(claims, 'status'), shares(claims.length, { paid: 0.9, pending: 0.07, denied: 0.03 })),
    ).toBeLessThan(4);
  });

  test('the money adds up, and is cut only where the drawn parts would not', () => {
    const cents = (text: string) => Math.round(+text * 100);
    let cut = 0;
    for (const row of claims) {
      const [billed, allowed, paid, own] = [row.billed_amount, row.allowed_amount, row.paid_amount, row.member_responsibility].map(cents); // prettier-ignore
      expect(paid + own).toBeLessThanOrEqual(allowed);
      expect(allowed).toBeLessThanOrEqual(billed);
      if (paid + own >= allowed - 1) cut++;
    }
    // P(U(.5, .9) + U(.05, .3) > U(.7, 1)), by the midpoint rule
    let share = 0;
    for (let i = 0.5; i < 40; i++)
      for (let j = 0.5; j < 40; j++)
        for (let k = 0.5; k < 40; k++)
          if (0.5 + (0.4 * i) / 40 + 0.05 + (0.25 * j) / 40 > 0.7 + (0.3 * k) / 40) share += 1 / 64_000;
    expect(Math.abs(cut / claims.length - share)).toBeLessThan(
      4 * Math.sqrt((share * (1 - share)) / claims.length) + 0.005,
    );
  });
});

describe('benefits are drawn as specified', () => {
  const { benefits } = world;
  const rate = (row: Row) => +row.used_amount / +row.annual_max;

  test('seven of each member, with the maximum of the plan', () => {
    const maxima: { [type: string]: number } = { medical: 100_000, pharmacy: 5000, preventive: 2000, dental: 2000, vision: 500, mental_health: 5000, telehealth: 1000 }; // prettier-ignore
    const factors: { [plan: string]: number } = { HMO: 0.9, PPO: 1.1, EPO: 1, HDHP: 0.8, POS: 1 };
    expect(benefits).toHaveLength(7000);
    for (const row of benefits) {
      expect(+row.annual_max).toBeCloseTo(maxima[row.benefit_type] * factors[of(row).plan_type], 6);
      expect(+row.used_amount + +row.remaining_amount).toBeCloseTo(+row.annual_max, 6);
    }
  });

  test('utilization min(1, Beta(2, 3) · adjustment)', () => {
    const adjustment = (row: Row) => {
      const [age, chronic] = [+of(row).age, +of(row).chronic_condition_count];
      if (row.benefit_type === 'preventive') return age > 50 ? 1.2 : 0.9;
      if (row.benefit_type === 'pharmacy') return 1 + 0.2 * chronic;
      if (row.benefit_type === 'mental_health') return age < 40 ? 1.3 : 0.8;
      return 1;
    };
    for (const group of Map.groupBy(benefits, adjustment)) {
      const [adjusted, rows] = group;
      // moments of the density 12 x (1 − x)², cut at 1
      let [first, second] = [0, 0];
      for (let x = 0.0005; x < 1; x += 0.001) {
        const value = Math.min(1, x * adjusted);
        first += 0.001 * 12 * x * (1 - x) ** 2 * value;
        second += 0.001 * 12 * x * (1 - x) ** 2 * value * value;
      }
      expect(errorOfMean(rows.map(rate), first, Math.sqrt(second - first * first))).toBeLessThan(4);
    }
  });

  test('visits int(utilization · randint 1–19), a last use where more than a tenth was used', () => {
    for (const row of benefits) {
      expect(+row.claims_count).toBeLessThanOrEqual(rate(row) * 19 + 0.01);
    }
    // cents are rounded, so at a tenth itself either is right
    const plain = benefits.filter((row) => Math.abs(rate(row) - 0.1) > 0.001);
    expect(plain.every((row) => (row.last_used_date !== '') === rate(row) > 0.1)).toBe(true);
    const used = benefits.filter((row) => row.last_used_date !== '');
    const days = used.map((row) => (Date.UTC(2026, 0, 31) - Date.parse(row.last_used_date)) / 86_400_000);
    expect(Math.max(...days)).toBeLessThanOrEqual(365);
    expect(
      errorOfMean(
        days.map((day) => Number(day < 60)),
        1 - Math.exp(-1),
        Math.sqrt(Math.exp(-1) * (1 - Math.exp(-1))),
      ),
    ).toBeLessThan(4);
  });
});

describe('engagement is drawn as specified', () => {
  const events = world.engagement;
  const types: { [channel: string]: string[] } = {
    app: ['app_open', 'offer_view', 'offer_click', 'content_view'],
    portal: ['portal_login', 'offer_view', 'content_view', 'appointment_schedule'],
    email: ['offer_view', 'offer_click', 'survey_complete'],
    sms: ['offer_view', 'offer_click', 'appointment_schedule'],
    phone: ['appointment_schedule', 'survey_complete'],
    mail: ['offer_view', 'survey_complete'],
  };

  test('so many of each member within 365 days', () => {
    expect(
      errorOfCounts(events, (row) => momentsOfCount(10, Math.max(0.5, 1.5 - (+row.age - 30) / 100), 100)),
    ).toBeLessThan(4);
    const days = events.map((row) => (Date.UTC(2026, 1, 1) - Date.parse(row.occurred_at)) / 86_400_000);
    expect(days.every((age) => age > 0 && age <= 365)).toBe(true);
    expect(errorOfMean(days, 182.5, 365 / Math.sqrt(12))).toBeLessThan(4);
  });

  test('three fifths and a tenth on the preferred channel of the member’s age', () => {
    const preferred = (age: number): [string, number][] => {
      if (age < 30) return [['app', 0.6], ['sms', 0.4]]; // prettier-ignore
      if (age < 50) return [['app', 0.4], ['email', 0.35], ['portal', 0.25]]; // prettier-ignore
      return age < 65 ? [['email', 0.4], ['portal', 0.3], ['phone', 0.3]] : [['phone', 0.6], ['mail', 0.4]]; // prettier-ignore
    };
    // events of one member prefer the same channel, so members are counted and not events
    const used = new Map<string, Map<string, number>>();
    for (const row of events) {
      const channels = used.get(row.member_id) ?? used.set(row.member_id, new Map()).get(row.member_id)!;
      channels.set(row.channel, (channels.get(row.channel) ?? 0) + 1);
    }
    const totals = perMember(events);
    for (const channel of Object.keys(types)) {
      const chance = (row: Row) => preferred(+row.age).find(([name]) => name === channel)?.[1] ?? 0;
      const errors = world.members.map((row) => {
        const n = totals.get(row.member_id)!;
        return (used.get(row.member_id)?.get(channel) ?? 0) - n * (0.4 / 6 + 0.6 * chance(row));
      });
      const squares = errors.reduce((sum, error) => sum + error * error, 0);
      expect(Math.abs(errors.reduce((sum, error) => sum + error, 0))).toBeLessThan(4 * Math.sqrt(squares));
    }
  });

  test('types alike on each channel, three tenths answered, sessions in app and portal only, offers alike', () => {
    for (const [channel, names] of Object.entries(types)) {
      const found = events.filter((row) => row.channel === channel);
      expect(
        misfit(column(found, 'event_type'), shares(found.length, Object.fromEntries(names.map((name) => [name, 1])))),
      ).toBeLessThan(4);
    }
    expect(errorOfMean(isTrue(events, 'response'), 0.3, Math.sqrt(0.21))).toBeLessThan(4);
    const sessions = events.filter((row) => row.session_seconds !== '');
    expect(sessions).toHaveLength(events.filter(({ channel }) => channel === 'app' || channel === 'portal').length);
    expect(errorOfMean(numbers(sessions, 'session_seconds'), 120, 120)).toBeLessThan(4);
    const offers = events.filter((row) => row.event_type === 'offer_view' || row.event_type === 'offer_click');
    expect(events.filter((row) => row.offer_id !== '')).toHaveLength(offers.length);
    const ids = [...new Set(column(offers, 'offer_id'))];
    expect(ids).toHaveLength(16);
    expect(
      misfit(column(offers, 'offer_id'), shares(offers.length, Object.fromEntries(ids.map((id) => [id, 1])))),
    ).toBeLessThan(4);
  });
});

describe('deliveries', () => {
  test('the same values give the same bytes, another seed other members', () => {
    const [a, b, c] = [42, 42, 43].map((seed) => generate({ members: 30, seed }));
    for (const i of sources.keys()) {
      expect(Buffer.compare(a[i].bytes, b[i].bytes)).toBe(0);
      expect(Buffer.compare(a[i].bytes, c[i].bytes)).not.toBe(0);
    }
  });

  test('a member is the same however many there are and wherever the file begins', () => {
    const whole = rowsOf(generate({ ...clean, members: 40 }));
    const part = rowsOf(generate({ ...clean, members: 10, firstMember: 25 }));
    const ids = new Set(column(part.members, 'member_id'));
    expect(ids.size).toBe(10);
    for (const source of sources) expect(whole[source].filter((row) => ids.has(row.member_id))).toEqual(part[source]);
  });

  test('member ids are MBR_ and eight digits, no two the same, and keys do not repeat', () => {
    for (const id of column(world.members, 'member_id')) expect(id).toMatch(/^MBR_[0-9a-f]{8}$/);
    expect(ages.size).toBe(1000);
    const keys = { members: 'record_id', claims: 'record_id', benefits: 'record_id', engagement: 'event_id' };
    for (const source of sources) expect(new Set(column(world[source], keys[source])).size).toBe(world[source].length);
  });

  test('every record is about a member of the roster', () => {
    for (const source of sources) expect(world[source].every((row) => ages.has(row.member_id))).toBe(true);
  });

  const late = { members: 300, dirtShare: 0, lateShare: 0.3, history: 2 };
  const first = rowsOf(generate({ ...late, month: '2026-01' }));
  const second = rowsOf(generate({ ...late, month: '2026-02', monthsAfter: 1 }));
  const third = rowsOf(generate({ ...late, month: '2026-03', monthsAfter: 2 }));

  test('months do not overlap: each record comes with the month in which it was received', () => {
    const all = together(first, second, third);
    for (const source of sources) {
      const key = source === 'engagement' ? 'event_id' : 'record_id';
      expect(new Set(column(all[source], key)).size).toBe(all[source].length);
      const months = (delivered: Delivered) =>
        new Set(column(delivered[source], 'received_at').map((at) => at.slice(0, 7)));
      expect(months(second)).toEqual(new Set(['2026-02']));
      expect(months(third)).toEqual(new Set(['2026-03']));
      expect([...months(first)].every((month) => month <= '2026-01')).toBe(true);
    }
  });

  test('late claims come with a later month, about a time before it', () => {
    const old = second.claims.filter((row) => row.filed_at < '2026-01-03');
    expect(old.length).toBeGreaterThan(10);
    expect(old.every((row) => Date.parse(row.received_at) - Date.parse(row.filed_at) >= 30 * 86_400_000)).toBe(true);
  });

  test('members have as many claims and events a month later as before', () => {
    const claims = third.claims.length + second.claims.length;
    const days = 59;
    // as many as in the first delivery's 730 days, by length; of them hardly any are still to come
    const expected = (first.claims.filter((row) => row.filed_at < '2025-10-01').length / (730 + 31 - 123)) * days;
    expect(Math.abs(claims - expected)).toBeLessThan(4 * Math.sqrt(expected));
    const events = third.engagement.length + second.engagement.length;
    const usual = (first.engagement.length / (365 + 31)) * days;
    expect(Math.abs(events - usual)).toBeLessThan(4 * Math.sqrt(usual));
  });

  test('history brings a roster and statements of each month, growing within a plan year', () => {
    expect(new Set(column(first.members, 'recorded_at').map((at) => at.slice(0, 7)))).toEqual(
      new Set(['2025-12', '2026-01']),
    );
    const used = (delivered: Delivered) =>
      new Map(
        delivered.benefits.map((row) => [`${row.member_id} ${row.benefit_type} ${row.plan_year}`, +row.used_amount]),
      );
    const [february, march] = [used(second), used(third)];
    for (const [benefit, amount] of march) expect(amount).toBeGreaterThanOrEqual(february.get(benefit)!);
  });

  test('seasonality moves claims to the winter, partial partners leave benefits out, inflation raises claims', () => {
    const winter = (rows: Row[]) =>
      rows.filter((row) => ['12', '01', '02'].includes(row.filed_at.slice(5, 7))).length / rows.length;
    const seasonal = rowsOf(generate({ ...clean, members: 300, seasonality: 0.8 }));
    expect(winter(seasonal.claims)).toBeGreaterThan(winter(world.claims) + 0.1);
    const partial = rowsOf(generate({ ...clean, members: 100, partialShare: 0.5 }));
    const kinds = new Map(Map.groupBy(partial.benefits, (row) => row.member_id));
    expect(new Set([...kinds.values()].map((rows) => rows.length))).toEqual(new Set([2, 7]));
    const [plain, dear] = [1, 1.5].map((inflation) => rowsOf(generate({ ...clean, members: 20, inflation })).claims);
    for (const [i, row] of dear.entries()) expect(+row.billed_amount / +plain[i].billed_amount).toBeCloseTo(1.5, 3);
  });

  test('a month is written like 2026-01', () => {
    expect(() => generate({ month: '2026-13' })).toThrow('A month is written like 2026-01');
  });
});
