import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '../../src/privacy/audit.ts';
import type { Erased } from '../../src/privacy/erase.ts';
import { Vault } from '../../src/privacy/vault.ts';
import { DecisionLog, loggedDecisions } from '../../src/serving/decision-log.ts';
import type { Finding } from '../../src/privacy/scan.ts';
import { appendQuery } from '../../src/lake/write.ts';
import { lakeTable, recommendationsPath, withSql } from '../../src/stages/common/sql.ts';
import { runCli, runJson } from '../cli/run-cli.ts';
import { type World, february, ingest, openWorld } from '../stages/world.ts';

const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const row = (id: string, age: number) => `${id},${age},MALE,27.9,2,no,SOUTHEAST,4512.33,2026-01-03T08:15:42Z`;

let world: World;
beforeAll(async () => {
  world = await openWorld({ useCases: fileURLToPath(new URL('../../usecases', import.meta.url)) });
  await ingest(world, 'january.csv', [header, row('a-1', 40), row('a-2', 40), row('a-3', 95), ''].join('\n'));
});
afterAll(() => world.close());

const revealed = async (surrogate: string) =>
  (await runJson<{ member: string }>('privacy', 'reveal', surrogate, '--reason', 'test', '--dir', world.directory))
    .member;

const privacy = (...words: string[]) => runCli('privacy', ...words, '--dir', world.directory);

test('plan shows what becomes of each column', async () => {
  const { columns } = await runJson<{ columns: { column: string; class: string; treatment: string }[] }>(
    'privacy',
    'plan',
    '--dir',
    world.directory,
  );
  expect(Object.fromEntries(columns.map(({ column, treatment }) => [column, treatment]))).toMatchObject({
    customer_id: 'surrogate',
    age: 'cap',
    region: 'keep',
    name: 'drop',
    ssn: 'drop',
    date_of_birth: 'year',
    zip: 'zip3',
    mrn: 'drop',
  });
});

test('groups counts the people who share their quasi-identifiers', async () => {
  const { tables } = await runJson<{ tables: object[] }>('privacy', 'groups', '--dir', world.directory);
  expect(tables).toMatchObject([
    { table: 'policies', quasi: ['age', 'sex', 'region', 'date_of_birth', 'zip'], people: 3, groups: 2, smallest: 1 },
    { table: 'features', quasi: ['age', 'sex', 'region'], people: 3, groups: 2, smallest: 1 },
  ]);
});

test('release leaves out whoever would stand alone, and groups of eleven stay as they are', async () => {
  const crowd = await openWorld({ useCases: fileURLToPath(new URL('../../usecases', import.meta.url)) });
  const rows = Array.from({ length: 11 }, (_, i) => row(`crowd-${i}`, 40));
  await ingest(crowd, 'crowd.csv', [header, ...rows, row('alone', 95), ''].join('\n'));
  const out = join(crowd.directory, 'released.csv');
  expect(await runJson('privacy', 'release', 'policies', '--out', out, '--dir', crowd.directory)).toEqual({
    source: 'policies',
    file: out,
    quasi: ['age', 'sex', 'region', 'date_of_birth', 'zip'],
    smallestGroup: 11,
    released: 11,
    generalised: { zip: 0, date_of_birth: 0, age: 0 },
    blanked: 0,
    leftOut: 1,
  });
  const lines = readFileSync(out, 'utf8').trim().split('\r\n');
  expect(lines[0]).toBe('customer_id,age,sex,bmi,children,smoker,region,charges,recorded_at,date_of_birth,zip');
  expect(lines).toHaveLength(12);
  expect(lines.join('\n')).not.toMatch(/crowd|alone|_drop_id/);
  crowd.close();
  expect(await privacy('release', 'policies')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--out') as string,
  });
});

test('scan finds what was put outside bronze, and its exit code says so', async () => {
  expect(await privacy('scan')).toMatchObject({
    code: 0,
    out: expect.stringContaining('no legal determination') as string,
  });
  await world.ports.reports.put('pages/note.txt', Buffer.from('SSN 219-09-9999'));
  const { code, out } = await privacy('scan', '--json');
  expect(code).toBe(3);
  expect((JSON.parse(out) as { findings: Finding[] }).findings).toEqual([
    { class: 'social security numbers', place: 'reports/pages/note.txt', count: 1 },
  ]);
  expect(out).not.toContain('219-09');
  await world.ports.reports.delete('pages/note.txt');

  await world.ports.gold.put(
    'exports/insurance-cost/r/crm.csv',
    Buffer.from('member,reason\r\nx,"call 212-555-0147"\r\n'),
  );
  await withSql(world.ports, (sql) =>
    appendQuery(
      lakeTable(world.ports, world.ports.gold, recommendationsPath('insurance-cost'), sql),
      sql,
      `SELECT 'x' AS customer_id, 'mail zebulon@quackenbush.example' AS reason`,
    ),
  );
  const { findings } = JSON.parse((await privacy('scan', '--json')).out) as { findings: Finding[] };
  expect(findings).toMatchObject([
    { class: 'phone numbers', place: 'gold/exports/insurance-cost/r/crm.csv' },
    { class: 'e-mail addresses', place: expect.stringMatching(/^gold\/recommendations\/.*#reason$/) as string },
  ]);
});

test('erase wants a reason, deletes the member, and keeps them out', async () => {
  expect(await privacy('erase', 'a-2')).toMatchObject({ code: 2, err: expect.stringContaining('audit log') as string });
  const erased = await runJson('privacy', 'erase', 'a-2', '--reason', 'request', '--dir', world.directory);
  expect(erased).toEqual({
    known: true,
    deleted: { quarantine: 0, policies: 1, features: 1 },
    exports: {},
    decisions: 0,
    retrain: [],
  });
  world.setClock(february);
  await ingest(world, 'february.csv', [header, row('a-2', 41), row('a-4', 41), ''].join('\n'));
  const ids = await world.rows('silver', 'tables/insurance-cost/policies', 'SELECT customer_id FROM rows');
  const members = [];
  for (const found of ids) members.push(await revealed(found['customer_id'] as string));
  expect(members.sort()).toEqual(['a-1', 'a-3', 'a-4']);
});

test('35. erase takes the member’s decisions out of the log of decisions, and nobody else’s', async () => {
  const log = new DecisionLog(world.ports, 'insurance-cost', { partRows: 2 });
  const decided = (key: string) =>
    ({
      key,
      code: 'ML_APPROVED',
      action: 'approve',
      probability: 0.9,
      tag: 'control:1',
      faults: [],
      shadow: null,
    }) as const;
  for (const keys of [['a-3', 'a-1'], ['a-33'], ['a-3']]) {
    log.add(keys.map(decided), february);
    await log.flush();
  }
  const erased = await runJson<Erased>('privacy', 'erase', 'a-3', '--reason', 'request', '--dir', world.directory);
  expect(erased).toMatchObject({ known: true, decisions: 2 });
  const left = [];
  for await (const { key } of loggedDecisions(world.ports.bronze, 'insurance-cost')) left.push(key);
  expect(left.sort()).toEqual(['a-1', 'a-33']);
  const vault = new Vault(
    { ...world.ports, store: world.ports.bronze },
    { useCase: 'insurance-cost', domain: 'customer_id' },
  );
  expect((await readAudit(world.ports.bronze, vault.auditPath)).at(-1)).toMatchObject({
    action: 'erase',
    details: { decisions: 2 },
  });
});

test('reveal is recorded before it answers, wants a reason, and without the vault’s key nobody can', async () => {
  const [{ customer_id: surrogate }] = (await world.rows(
    'silver',
    'tables/insurance-cost/policies',
    'SELECT customer_id FROM rows ORDER BY ALL LIMIT 1',
  )) as { customer_id: string }[];
  expect(await privacy('reveal', surrogate)).toMatchObject({
    code: 2,
    err: expect.stringContaining('audit log') as string,
  });
  const vault = new Vault(
    { ...world.ports, store: world.ports.bronze },
    { useCase: 'insurance-cost', domain: 'customer_id' },
  );
  const before = (await readAudit(world.ports.bronze, vault.auditPath)).length;
  const member = await revealed(surrogate);
  const audit = await readAudit(world.ports.bronze, vault.auditPath);
  expect(audit).toHaveLength(before + 1);
  expect(audit.at(-1)).toMatchObject({
    action: 'reidentify',
    surrogate,
    reason: 'test',
    previousHash: audit.at(-2)?.hash ?? '0'.repeat(64),
  });
  // by itself: within a random surrogate it may stand by chance
  const told = new RegExp(`(^|[^\\w-])${member}([^\\w-]|$)`);
  expect(JSON.stringify(audit)).not.toMatch(told);

  const key = join(world.directory, 'keys', 'vault.key');
  const kept = readFileSync(key);
  // as its owner would have it: a file that others can read is refused for that alone
  const put = (bytes: Uint8Array) => writeFileSync(key, bytes, { mode: 0o600 });
  for (const takeAway of [() => rmSync(key), () => put(Buffer.from('ab'.repeat(32)))]) {
    takeAway();
    const { code, out, err } = await privacy('reveal', surrogate, '--reason', 'test');
    expect(code).not.toBe(0);
    expect(out + err).not.toMatch(told);
    expect(err).not.toContain('UnsafeKeyFile');
  }
  put(kept);
  expect(await revealed(surrogate)).toBe(member);
});

test('a deployment’s vault is asked with its bucket and key together, by reveal alone', async () => {
  for (const words of [
    ['reveal', 'x', '--reason', 'test', '--bucket', 'b'],
    ['reveal', 'x', '--reason', 'test', '--vault-key', 'k'],
    ['scan', '--bucket', 'b', '--vault-key', 'k'],
  ])
    expect(await privacy(...words)).toMatchObject({ code: 2, err: expect.stringContaining('go together') as string });
});

test('reveal knows surrogates only, and a verb that there is not is named', async () => {
  expect(await privacy('reveal', 'a-1', '--reason', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('knows no such surrogate') as string,
  });
  expect(await privacy('reveel')).toMatchObject({ code: 2, err: expect.stringContaining('not "reveel"') as string });
  expect(await privacy('plan', 'a-1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('takes nothing') as string,
  });
});
