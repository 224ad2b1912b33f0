import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';
import { demo } from '../../../usecases/claim-propensity/demo.ts';
import { type GenerateOptions, applications } from '../../../usecases/claim-propensity/generate.ts';
import { toSilver } from '../silver.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

/** The records of a clean file; only names are quoted. */
function records(options: GenerateOptions): { [column: string]: string }[] {
  const text = new TextDecoder().decode(applications({ dirtShare: 0, ...options }).bytes);
  const [header, ...lines] = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replaceAll(/"([^"]*)"/g, (_, quoted: string) => quoted.replace(',', ';')).split(','));
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

type Row = ReturnType<typeof records>[number];
const shareOf = (rows: Row[], column: string, value: string) =>
  rows.filter((row) => row[column] === value).length / rows.length;
const missingShare = (rows: Row[], column: string) => shareOf(rows, column, '');

describe('the population is the one described', () => {
  // 12,000 rows of which 1,900 claim: five standard errors of a share of one half are .023, and .057 among those who claim
  const rows = records({ rows: 12_000 });
  const [no, yes] = ['0', '1'].map((claim) => rows.filter((row) => row['claim_status'] === claim));
  const [ofAll, ofNo, ofYes] = [0.023, 0.025, 0.057];

  test('a sixth claims: .15 of the kind that does, and those whose outcome is drawn by lot', () => {
    expect(Math.abs(yes.length / rows.length - (0.15 * (1 - 0.0175) + 0.85 * 0.0175))).toBeLessThan(0.01);
  });

  test.each([
    ['gender', 'MALE', 0.46, 0.52],
    ['prev_claim_rejected', '1', 0.08, 0.16],
    ['previous_claim_rate', '1', 0.48, 0.12],
    ['previous_claim_rate', '2', 0.29, 0.28],
    ['previous_claim_rate', '3', 0.12, 0.34],
    ['previous_claim_rate', '4', 0.08, 0.19],
    ['previous_claim_rate', '5', 0.03, 0.07],
  ] as const)('%s is %s of %d of those who do not claim and of %d of those who do', (column, value, ifNot, ifSo) => {
    expect(Math.abs(shareOf(no, column, value) - ifNot)).toBeLessThan(ofNo);
    expect(Math.abs(shareOf(yes, column, value) - ifSo)).toBeLessThan(ofYes);
  });

  test.each([
    ['known_health_conditions', '1', 0.06],
    ['uk_residence', '1', 0.76],
    ['family_history_1', '1', 0.22],
    ['family_history_2', '1', 0.25],
    ['family_history_4', '1', 0.27],
    ['family_history_5', '1', 0.31],
    ['product_var_1', '1', 0.38],
    ['product_var_2', '1', 0.55],
    ['product_var_3', 'C', 0.31],
    ['product_var_4', '1', 0.76],
    ['marital_status', 'D', 0.25],
    ['occupation', 'G', 1 / 7],
    ['location', 'Z', 1 / 26],
    ['health_status', '4', 0.25],
    ['driving_record', '1', 0.25],
    ['education_level', '0', 1 / 7],
    ['n_dependents', '5', 0.07],
  ])('%s is %s of %d of all, whether they claim or not', (column, value, share) => {
    expect(Math.abs(shareOf(rows, column, value) - share)).toBeLessThan(ofAll);
    expect(Math.abs(shareOf(yes, column, value) - share)).toBeLessThan(ofYes);
  });

  test('two columns are mostly missing, 81 % and 71 % of them, and no other misses anything', () => {
    expect(Math.abs(missingShare(rows, 'family_history_3') - 0.81)).toBeLessThan(ofAll);
    expect(Math.abs(missingShare(rows, 'employment_type') - 0.71)).toBeLessThan(ofAll);
    const sparse = Object.keys(rows[0]).filter((column) => missingShare(rows, column) > 0);
    expect(sparse).toEqual(['family_history_3', 'employment_type']);
  });

  test.each([
    ['age', 18, 95],
    ['height_cm', 140, 210],
    ['weight_kg', 45, 125],
    ['income', 0, 250_000],
    ['credit_score_1', 0, 999],
    ['credit_score_2', 0, 700],
    ['credit_score_3', 0, 710],
  ])('%s is a whole number that fills its bounds of %d and %d', (column, low, high) => {
    const numbers = rows.map((row) => Number(row[column]));
    expect(numbers.every(Number.isInteger)).toBe(true);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(high);
    expect(Math.max(...numbers) - Math.min(...numbers)).toBeGreaterThan(0.8 * (high - low));
  });

  test('three of the sixteen numbers are copies of others, but for their units', () => {
    const names = Object.keys(rows[0]).slice(5, 21);
    const numbers = names.map((name) => rows.map((row) => Number(row[name])));
    const alike = names.flatMap((_, a) =>
      names.slice(a + 1).filter((__, b) => Math.abs(correlation(numbers[a], numbers[a + 1 + b])) > 0.995),
    );
    expect(alike.length).toBeGreaterThanOrEqual(3);
  });
});

describe('options', () => {
  test('the same seed gives the same bytes, another seed or month other people', () => {
    const bytes = (options: GenerateOptions) => Buffer.from(applications({ rows: 200, ...options }).bytes);
    expect(bytes({}).equals(bytes({}))).toBe(true);
    expect(bytes({}).equals(bytes({ seed: 2 }))).toBe(false);
    expect(bytes({}).equals(bytes({ month: '2026-02' }))).toBe(false);
  });

  test('the clusters stay where they are over the months', () => {
    const meanOf = (month: string) => {
      const scores = records({ rows: 4000, month }).map((row) => Number(row['credit_score_1']));
      return scores.reduce((sum, value) => sum + value, 0) / scores.length;
    };
    expect(Math.abs(meanOf('2026-01') / meanOf('2026-02') - 1)).toBeLessThan(0.03);
  });

  test('drift changes what it says: more claims, older people, higher incomes', () => {
    const mean = (rows: Row[], column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0) / rows.length;
    const base = records({ rows: 2000 });
    expect(shareOf(records({ rows: 2000, claims: 0.4 }), 'claim_status', '1')).toBeGreaterThan(0.36);
    expect(mean(records({ rows: 2000, agedBy: 8 }), 'age') - mean(base, 'age')).toBeGreaterThan(7);
    expect(mean(records({ rows: 2000, inflation: 1.5 }), 'income') / mean(base, 'income')).toBeCloseTo(1.5, 3);
  });

  test('new applications have no outcome', () => {
    expect(missingShare(records({ rows: 100, labelled: 0 }), 'claim_status')).toBe(1);
  });

  test('a month that is none is refused', () => {
    expect(() => applications({ month: '2026-13' })).toThrow('A month is written like 2026-01');
  });
});

describe('the dirt is known', () => {
  test.each([{}, { rows: 500, dirtShare: 0.15, seed: 'other', month: '2027-11' }])(
    'what the contract quarantines of %o is exactly what was put in',
    async (options) => {
      const file = applications(options);
      const { counts, halts } = await toSilver(sql, 'claim-propensity', file);
      const found = await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule');
      expect(Object.fromEntries(found.map(({ rule, n }) => [rule, n]))).toEqual(file.dirt);
      const dirty = Object.values(file.dirt).reduce((sum, n) => sum + n, 0);
      expect(counts).toEqual({ rows: file.rows, accepted: file.rows - dirty, quarantined: dirty });
      expect(halts).toEqual([]);
    },
  );

  test('the default file has 10,000 good records, and every kind of dirt', () => {
    const { rows, dirt } = applications();
    expect(rows - Object.values(dirt).reduce((sum, n) => sum + n, 0)).toBe(10_000);
    expect(Object.keys(dirt)).toHaveLength(14);
  });

  test('mostly missing columns are a warning', async () => {
    const { rules } = await toSilver(sql, 'claim-propensity', applications({ rows: 1000, dirtShare: 0 }));
    const warned = rules.filter(({ broken }) => broken).map(({ name, outcome }) => [name, outcome]);
    expect(warned).toEqual([
      ['family_history_3_filled', 'warn'],
      ['employment_type_filled', 'warn'],
    ]);
  });
});

test('the demo tells of a first month, of new applications, and of a month that drifted', async () => {
  const steps = demo.values({ rows: 400 });
  expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).toSorted());
  expect(Date.parse(demo.until)).toBeGreaterThan(Date.parse(steps.at(-1)!.at));
  const files = (await Promise.all(steps.map(async ({ files: make }) => make(async () => '')))).flat();
  expect(files.map(({ rows }) => rows)).toEqual([400, 300, 400]);
  expect(new Set(files.map(({ fileName }) => fileName)).size).toBe(3);
});

function correlation(a: number[], b: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = mean(a.map((value, i) => (value - meanA) * (b[i] - meanB)));
  return product / Math.sqrt(mean(a.map((v) => (v - meanA) ** 2)) * mean(b.map((v) => (v - meanB) ** 2)));
}
