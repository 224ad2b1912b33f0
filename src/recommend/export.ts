import { didYouMean } from '../data/nearest.ts';
import type { ExportField, Recommend } from '../usecase/recommend.ts';
import { type Cell, csvLines } from './csv-text.ts';

/** A recommendation that is sent, with all that an export may carry. */
export type SentRecommendation = { [field in Exclude<ExportField, 'rank'>]?: Cell } & { rank: number };

/** The use case declares no export of that name. */
export class UnknownExport extends Error {
  override readonly name = 'UnknownExport';
}

/**
 * An export as declared (the campaign's best three, the columns of a CRM) in CSV for people: its header, and the lines of any number
 * of rows, so that many can be written page by page. Members of the holdout must not be among the rows: an export is what somebody
 * acts upon. Throws `UnknownExport`.
 */
export function exportCsv(
  recommend: Recommend,
  name: string,
): { header: string; lines: (rows: Iterable<SentRecommendation>) => string } {
  if (!Object.hasOwn(recommend.exports, name)) {
    const known = Object.keys(recommend.exports);
    throw new UnknownExport(
      `There is no export "${name}".${didYouMean(name, known)} Declared are: ${known.join(', ') || 'none'}.`,
    );
  }
  const { top, columns } = recommend.exports[name];
  const fields = Object.values(columns);
  return {
    header: csvLines([Object.keys(columns)], 'people'),
    lines: (rows) => csvLines(cells(rows, fields, top), 'people'),
  };
}

function* cells(rows: Iterable<SentRecommendation>, fields: readonly ExportField[], top: number): Generator<Cell[]> {
  for (const row of rows) if (row.rank <= top) yield fields.map((field) => row[field]);
}
