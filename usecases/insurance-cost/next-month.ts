import { createHash } from 'node:crypto';
import { makeVector } from 'apache-arrow';
import { ascending, quantileSorted } from 'd3-array';
import { arrowTexts } from '../../src/data/arrow-texts.ts';
import { readCsv } from '../../src/data/csv.ts';

/**
 * The month after a file of one's own, for the demo: the same policyholders, but the youngest third has left and charges
 * have risen by the factor `inflation`. Rows without a number get the one that ingestion gave them (the first eight digits
 * of the file's SHA-256 and the line), so that everybody stays on their side of the frozen test set.
 */
export function nextMonth(bytes: Uint8Array, file: string, { inflation }: { inflation: number }): Uint8Array {
  const csv = readCsv(bytes, { file, delimiter: ',' });
  const at = (name: string) => csv.header.findIndex((header) => header.trim().toLowerCase() === name);
  const [age, charges, id] = [at('age'), at('charges'), at('customer_id')];
  if (age < 0 || charges < 0) {
    throw new Error(
      `${file} has no column "${age < 0 ? 'age' : 'charges'}": the demo cannot make a second month of it.`,
    );
  }

  const columns = csv.fields.map((texts) => makeVector(arrowTexts(texts)));
  const field = (column: number, row: number) => columns[column].get(row) ?? '';
  const rows = Array.from({ length: csv.lines.length }, (_, row) => row);
  const ages = rows
    .map((row) => Number(field(age, row)))
    .filter(Number.isFinite)
    .sort(ascending);
  const youngest = quantileSorted(ages, 1 / 3) ?? 0;
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);

  const kept = rows.filter((row) => Number(field(age, row)) > youngest);
  const lines = kept.map((row) => {
    const values = csv.header.map((_, column) =>
      column === charges ? (Number(field(charges, row)) * inflation).toFixed(2) : field(column, row),
    );
    return (id < 0 ? [`${digest}-${csv.lines[row]}`, ...values] : values).map(quoted).join(',');
  });
  const header = id < 0 ? ['customer_id', ...csv.header] : csv.header;
  return new TextEncoder().encode(`${[header.map(quoted).join(','), ...lines].join('\n')}\n`);
}

const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
