import { random } from '../../src/ml/random.ts';
import type { GeneratedFile, Generator, GeneratorOption, GeneratorValues } from '../../src/usecase/synthetic.ts';
import { benefits } from './synthetic/benefits.ts';
import { claims } from './synthetic/claims.ts';
import { CsvBytes } from './synthetic/csv-bytes.ts';
import { engagement } from './synthetic/engagement.ts';
import { memberAt, memberIds } from './synthetic/member.ts';
import { deliveryOf } from './synthetic/months.ts';
import { responsesTo } from './synthetic/responses.ts';
import { members } from './synthetic/rosters.ts';
import { sentIn } from './synthetic/sent.ts';
import type { SourceWriter } from './synthetic/source.ts';

export const options = {
  members: { help: 'members to write', least: 1, most: 2 ** 31, whole: true },
  firstMember: { help: 'the number of the first of them, from 0: parts of one insurer', least: 0, whole: true },
  seed: { help: 'the same seed gives the same files', whole: true },
  history: { help: 'months of rosters and benefit statements in the first delivery', least: 1, most: 24, whole: true },
  monthsAfter: { help: 'months after the first delivery, to write what that month brought', least: 0, whole: true },
  seasonality: {
    help: 'how much more claims and events winter brings: 0 none, 1 twice the average',
    least: 0,
    most: 1,
  },
  lateShare: { help: 'share of claims that arrive a month or more after they were filed', least: 0, most: 1 },
  partialShare: {
    help: 'share of members whose benefits partner reports medical and pharmacy only',
    least: 0,
    most: 1,
  },
  inflation: { help: 'factor on what claims cost', least: 0.01 },
  dirtShare: { help: 'share of records that break the contract', least: 0, most: 1 },
  sent: { help: 'a CRM export: what members did with it by the end of the month, in place of all else', file: true },
} satisfies { [option: string]: GeneratorOption };

export const examples: Generator['examples'] = [
  [
    'bordereau generate offer-prioritization --members 5000 --out first',
    'a first delivery: four files of 5,000 members',
  ],
  [
    'bordereau generate offer-prioritization --members 5000 --history 4 --out first',
    'the same with four months of rosters',
  ],
  [
    'bordereau generate offer-prioritization --members 5000 --month 2026-02 --months-after 1 --out next',
    'what the month after it brought',
  ],
  [
    'bordereau generate offer-prioritization --members 5000 --month 2026-02 --months-after 1 --sent crm.csv --out responses.csv',
    'how members responded to what was sent in February',
  ],
];

type Values = GeneratorValues & { [option in keyof typeof options]?: number | string };

/**
 * A seeded delivery of an insurer's four sources, with some records that break their contracts, each in one known way. The first
 * delivery tells all that was known by the end of `month`; with `monthsAfter`, it is what became known in `month`, so many months
 * after a first delivery, late claims included. With `sent`, it is how members
 * responded in `month` to what they were sent in it. Each member is drawn from a stream of its own: what is asked for beside it
 * changes nothing about a member.
 */
export function generate(values: Values = {}): GeneratedFile[] {
  const number = (option: keyof typeof options, preset: number) => Number(values[option] ?? preset);
  const seed = values.seed ?? 42;
  const delivery = deliveryOf({
    month: values.month ?? '2026-01',
    monthsAfter: number('monthsAfter', 0),
    history: number('history', 1),
  });
  const settings = {
    dirtShare: number('dirtShare', 0.01),
    seasonality: number('seasonality', 0),
    lateShare: number('lateShare', 0.05),
    partialShare: number('partialShare', 0),
    inflation: number('inflation', 1),
  };
  const writers = values.sent === undefined ? everything : { responses: responsesTo(sentIn(String(values.sent))) };
  const files = Object.entries<SourceWriter>(writers).map(([source, writer]) => ({
    source,
    writer,
    csv: new CsvBytes(writer.header),
  }));

  const source = random(seed).fork('offer-prioritization');
  const idOf = memberIds(seed);
  const first = number('firstMember', 0);
  for (let index = first; index < first + number('members', 50_000); index++) {
    const member = memberAt(index, source, idOf, delivery.nowMs);
    for (const { writer, csv } of files) writer.write(csv, member, delivery, settings);
  }
  return files.map(({ source: name, csv }) => ({
    source: name,
    fileName: `${name}_${delivery.month}.csv`,
    bytes: csv.bytes,
    rows: csv.rows,
    dirt: csv.dirt,
  }));
}

/** The roster comes last: it is what makes a reference date, and what counts at it has arrived by then. */
const everything = { claims, benefits, engagement, members };
