import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteText } from '../../src/data/quote.ts';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { zones } from '../../src/stages.ts';
import { demo } from '../../usecases/insurance-cost/demo.ts';
import { smallSearch } from '../stages/use-cases.ts';
import { type Told, tellDemo } from '../usecases/story.ts';

/** The product's own demo, with the people that its generator invents: two months, from the drop to the judged challenger. */
const values = { rows: 700 };
let told: Told;
let sql: SqlEngine;
let people: Person[];
beforeAll(async () => {
  sql = await openSql({ threads: 1 });
  told = await tellDemo({ ...smallSearch, gates: { beatsChampion: smallSearch.gates.beatsChampion } }, demo, values);
  people = [];
  for (const { files } of demo.values(values))
    for (const { bytes } of await files(async () => '')) people.push(...peopleOf(bytes));
}, 120_000);
afterAll(async () => {
  await told.close();
  await sql.close();
});

type Person = { id: string; name: string; ssn: string; birthDate: string; zip: string; mrn: string };

/** The records of a file that have all fields, good and bad. */
function peopleOf(csv: Uint8Array): Person[] {
  const [, ...lines] = Buffer.from(csv).toString().trim().split(/\r?\n/);
  return lines
    .map((line) => line.split(','))
    .filter((fields) => fields.length === 14)
    .map(([id, , , , , , , , , name, ssn, birthDate, zip, mrn]) => ({ id, name, ssn, birthDate, zip, mrn }));
}

/** Every text in a store: file names, text files, and of tables every value behind its column's name. */
async function* textsOf(store: ObjectStore): AsyncGenerator<{ key: string; text: string }> {
  for await (const { key } of store.list('')) {
    const bytes = (await store.get(key))!;
    const magic = Buffer.from(bytes.subarray(0, 6)).toString('latin1');
    if (magic.startsWith('PAR1')) {
      const copy = await store.localCopy(key);
      const rows = await sql.rows(`SELECT t::VARCHAR AS text FROM read_parquet(${quoteText(copy.path)}) t`);
      await copy.release();
      yield { key, text: rows.map(({ text }) => text as string).join('\n') };
    } else if (magic === 'ARROW1') {
      yield { key, text: tableFromIPC(bytes).toArray().map(String).join('\n') };
    } else yield { key, text: Buffer.from(bytes).toString() };
    yield { key, text: key };
  }
}

/** What of the people stands in a store, as `class place`, without saying what. */
async function found(store: ObjectStore, place: string): Promise<Set<string>> {
  const classes = {
    // a part of it is enough
    name: /[A-Z][a-z]+/g,
    ssn: /(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)/g,
    birthDate: /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/g,
    mrn: /MRN-\d{8}/g,
    // five and seven digits stand in any file of figures: these are looked for behind the name of their column
    zip: /(?<=\bzip\W{1,5})\d{5}(?!\d)/g,
    id: /(?<=\bcustomer_id\W{1,5})\d{7}(?!\d)/g,
  };
  const kinds = Object.keys(classes) as (keyof typeof classes)[];
  const known = Object.fromEntries(
    kinds.map((kind) => [kind, new Set(people.flatMap((person) => person[kind].split(' ')))]),
  );
  const places = new Set<string>();
  for await (const { key, text } of textsOf(store)) {
    for (const kind of kinds) {
      for (const [match] of text.matchAll(classes[kind]))
        if (known[kind].has(match)) places.add(`${kind} in ${place}/${key}`);
    }
  }
  return places;
}

describe('31. nobody whom the generator invents is known outside bronze after a whole demo', () => {
  test('in which everything was made that there is to search', async () => {
    const { champion, predictions, challenger, drift } = told.document;
    expect(champion?.version).toBe(1);
    expect(predictions.rows).toBeGreaterThan(500);
    expect([drift.detected, challenger?.version]).toEqual([true, 2]);
    expect(people.length).toBeGreaterThan(1300);
    const silver = await told.rows('silver', 'tables/insurance-cost/policies', 'DESCRIBE rows');
    const columns = silver.map((column) => column['column_name']);
    expect(columns).toEqual(expect.arrayContaining(['customer_id', 'date_of_birth', 'zip']));
    for (const kept of ['name', 'ssn', 'mrn']) expect(columns).not.toContain(kept);
  });

  test('not in silver, gold, the registry, reports, histories, queues or logs', async () => {
    const { ports, store } = told.runtime;
    const outside = zones.filter((zone) => zone !== 'bronze').map((zone) => [zone, ports[zone]] as const);
    for (const [place, searched] of [...outside, ['runtime', store] as const]) {
      expect([...(await found(searched, place))]).toEqual([]);
    }
  });

  test('and the search would have found them: it finds every class in bronze', async () => {
    const inBronze = [...(await found(told.runtime.ports.bronze, 'bronze'))];
    expect(new Set(inBronze.filter((place) => place.includes('/drops/')).map((place) => place.split(' ')[0]))).toEqual(
      new Set(['name', 'ssn', 'birthDate', 'mrn']),
    );
    // the vault is encrypted
    expect(inBronze.filter((place) => place.includes('/vault/'))).toEqual([]);
  });

  test('all that is left of a ZIP code are three digits, and of a birth its year', async () => {
    const [{ zips, years, ids }] = await told.rows(
      'silver',
      'tables/insurance-cost/policies',
      `SELECT count(*) FILTER (NOT regexp_full_match(zip, '[0-9]{3}')) AS zips, typeof(any_value(date_of_birth)) AS years,
        count(*) FILTER (NOT regexp_full_match(customer_id, '[0-9a-f-]{36}')) AS ids FROM rows`,
    );
    expect([zips, years, ids]).toEqual([0, 'INTEGER', 0]);
  });
});
