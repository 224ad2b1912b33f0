import { readFileSync } from 'node:fs';
import type { Contract } from '../../../src/data/contract/contract.ts';
import type { Json } from '../../../src/data/json.ts';
import type { SqlEngine } from '../../../src/data/sql.ts';
import type { GeneratedFile } from '../../../src/usecase/synthetic.ts';
import { contractOf, toSilver } from '../silver.ts';

export const sources = ['members', 'claims', 'benefits', 'engagement'] as const;
export type Source = (typeof sources)[number];
/** A record by column, as text; what is missing is empty. */
export type Row = { [column: string]: string };
export type Delivered = { [source in Source]: Row[] };

export const useCase = 'offer-prioritization';
export const query = (file: 'features.sql' | 'labels.sql'): string =>
  readFileSync(new URL(`../../../usecases/${useCase}/${file}`, import.meta.url), 'utf8');
export const contracts = Object.fromEntries(sources.map((source) => [source, contractOf(useCase, source)])) as {
  [source in Source]: Contract;
};

/** The records of clean files, read by splitting: nothing in them is quoted. */
export function rowsOf(files: readonly GeneratedFile[]): Delivered {
  return Object.fromEntries(
    files.map(({ source, bytes }) => {
      const [header, ...lines] = new TextDecoder().decode(bytes).trimEnd().split('\n');
      const columns = header.split(',');
      const row = (line: string) => {
        const fields = line.split(',');
        return Object.fromEntries(columns.map((column, i) => [column, fields[i]]));
      };
      return [source, lines.map(row)];
    }),
  ) as Delivered;
}

/** Several deliveries together. */
export function together(...deliveries: Delivered[]): Delivered {
  return Object.fromEntries(
    sources.map((source) => [source, deliveries.flatMap((delivered) => delivered[source])]),
  ) as Delivered;
}

/** Makes each source a table of its name, as silver has it: checked, typed, de-identified. */
export async function mountSilver(sql: SqlEngine, delivered: Delivered): Promise<void> {
  for (const source of sources) {
    const rows = delivered[source];
    const columns = Object.keys(rows[0]);
    const text = [columns.join(','), ...rows.map((row) => columns.map((column) => row[column]).join(','))].join('\n');
    const file = {
      source,
      fileName: `${source}.csv`,
      bytes: new TextEncoder().encode(text),
      rows: rows.length,
      dirt: {},
    };
    const { counts } = await toSilver(sql, useCase, file);
    if (counts.quarantined > 0) throw new Error(`${counts.quarantined} records of ${source} are not good.`);
  }
}

type Cells = { [column: string]: Json };

/** The columns in which two rows differ by more than the last digits of doubles that were added up in another order. */
export function differences(found: Cells, wanted: Cells): string[] {
  const columns = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  return [...columns].filter((column) => {
    const [a, b] = [found[column], wanted[column]];
    const isClose =
      typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
    return !isClose && a !== b;
  });
}
