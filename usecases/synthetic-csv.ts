import type { Random } from '../src/ml/random.ts';
import type { GeneratedFile } from '../src/usecase/synthetic.ts';

/** A record by column, as text. */
export type CsvRow = { [column: string]: string };

/** One way in which a record goes wrong, with the rule of the contract that finds it. */
export type Dirt = {
  rule: string;
  /** The whole line where it is no record any more, otherwise the columns that change. `good` is an earlier good record. */
  spoil: (row: CsvRow, good: CsvRow) => string | CsvRow;
};

export type CsvPlan = {
  source: string;
  fileName: string;
  header: readonly string[];
  /** Records, malformed ones included. */
  rows: number;
  /** The share of records that are spoilt. */
  dirtShare: number;
  /** In turn, so that all occur in an ordinary file. */
  kinds: readonly Dirt[];
  draw: () => CsvRow;
  /** Which records are dirty, and how lines end. */
  random: Random;
};

/**
 * A CSV file as a partner would send it: drawn records, some of them spoilt, each in one known way, and a tenth of the lines
 * ended as on another system. The first record is good, so that there is one to repeat.
 */
export function csvFile(plan: CsvPlan): GeneratedFile {
  const { source, fileName, header, rows, kinds, draw } = plan;
  const dirty = dirtyPlaces(plan);
  const dirt: { [rule: string]: number } = {};
  const lines = [lineOf(Object.fromEntries(header.map((name) => [name, name])), header)];
  let good: CsvRow = {};
  for (let place = 0; place < rows; place++) {
    const row = draw();
    const nth = dirty.get(place);
    if (nth === undefined) {
      good = row;
      lines.push(lineOf(row, header));
      continue;
    }
    const { rule, spoil } = kinds[nth % kinds.length];
    dirt[rule] = (dirt[rule] ?? 0) + 1;
    const spoilt = spoil(row, good);
    lines.push(typeof spoilt === 'string' ? spoilt : lineOf({ ...row, ...spoilt }, header));
  }
  const lineEnds = plan.random.fork('line ends');
  const text = lines.map((line) => line + (lineEnds.uniform() < 0.1 ? '\r\n' : '\n')).join('');
  return { source, fileName, bytes: new TextEncoder().encode(text), rows, dirt };
}

/** The record as a line, fields quoted where they have to be. */
export function lineOf(row: CsvRow, header: readonly string[]): string {
  return header.map((name) => quoted(row[name] ?? '')).join(',');
}

/** The first instant of a month such as 2026-01 and the first after it, in milliseconds. Throws `RangeError`. */
export function monthBounds(month: string): [startMs: number, endMs: number] {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new RangeError(`A month is written like 2026-01, not "${month}".`);
  const [year, number] = month.split('-').map(Number);
  return [Date.UTC(year, number - 1), Date.UTC(year, number)];
}

/** Months from 2026-01 to this one, so that months can have numbers of their own. */
export function monthIndex(month: string): number {
  const [year, number] = month.split('-').map(Number);
  return (year - 2026) * 12 + number - 1;
}

/** Place → which kind of dirt, counted. */
function dirtyPlaces({ rows, dirtShare, random }: CsvPlan): Map<number, number> {
  const stream = random.fork('dirt');
  const candidates = Math.max(0, rows - 1);
  const count = Math.min(Math.round(rows * dirtShare), candidates);
  const places = stream.shuffle(stream.sample(candidates, count));
  return new Map(Array.from(places, (place, nth) => [place + 1, nth]));
}

const quoted = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
