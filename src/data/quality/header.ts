import { type Column, type Contract, delimiters } from '../contract/contract.ts';
import { FileRejected } from '../file-rejected.ts';
import { didYouMean } from '../nearest.ts';

/**
 * Which column of the file carries which column of the contract, by position; columns that the contract can do without
 * (`whenAbsent`) may be missing. Throws `FileRejected` with the difference between the header and the contract.
 */
export function matchHeader(header: readonly string[], contract: Contract, file: string): Map<string, number> {
  refuseOtherDelimiter(header, contract, file);
  const positions = new Map<string, number>();
  const unknown: string[] = [];
  const shown = (name: string) => shownName(name, header, contract);
  for (const [position, name] of header.entries()) {
    const column = contract.columns.find(({ headers }) => headers.includes(name));
    if (column === undefined) unknown.push(name);
    else if (positions.has(column.name)) {
      const both = `"${header[positions.get(column.name)!]}" and "${name}"`;
      throw new FileRejected(
        'duplicate-columns',
        file,
        `${both} both stand for the column ${column.name}`,
        'Remove one of them.',
      );
    } else positions.set(column.name, position);
  }

  const missing = contract.columns.filter(({ name, whenAbsent }) => !positions.has(name) && whenAbsent === undefined);
  if (missing.length > 0) {
    const names = missing.map(({ headers }) => headers.map((name) => `"${name}"`).join(' or ')).join(', ');
    const hint = missing
      .map((column) =>
        hintFor(
          column,
          unknown.filter((name) => shown(name) === `"${name}"`),
        ),
      )
      .join('');
    const has = isHeader(header, contract)
      ? `its header is ${header.map(shown).join(', ')}`
      : `its first line has none of the contract's ${contract.columns.length} columns or hardly any, and may be no header`;
    throw new FileRejected('missing-columns', file, `it lacks ${names}; ${has}`, `Add them.${hint}`);
  }
  if (unknown.length > 0 && contract.csv.unknownColumns === 'reject') {
    const names = unknown.map(shown).join(', ');
    const todo = 'Remove them, or add them to the contract.';
    throw new FileRejected('unknown-columns', file, `the contract ${contract.id} does not know ${names}`, todo);
  }
  return positions;
}

/** Whether the first line can be trusted to hold names: where it is a row, quoting it would tell about a person. */
function isHeader(header: readonly string[], { columns }: Contract): boolean {
  const known = header.filter((name) => columns.some(({ headers }) => headers.includes(name)));
  return known.length > 0 && known.length * 3 >= Math.min(header.length, columns.length);
}

/** A column's name as a message may show it: quoted where it can only be a name, else by its place. */
function shownName(name: string, header: readonly string[], contract: Contract): string {
  const isName = /^[\p{L}_][\p{L}\p{N} _.()-]{0,60}$/u.test(name) && !/\d{3}/.test(name);
  return isHeader(header, contract) && isName ? `"${name}"` : `column ${header.indexOf(name) + 1}`;
}

function hintFor({ headers }: Column, unknown: readonly string[]): string {
  return didYouMean(headers[0], unknown).replace('Did you mean', 'Is it').replace('?', `, for "${headers[0]}"?`);
}

/** A header that is one single name, but several known ones once it is cut at another delimiter. */
function refuseOtherDelimiter(header: readonly string[], contract: Contract, file: string): void {
  const declared = contract.csv.delimiter;
  const known = new Set(contract.columns.flatMap(({ headers }) => headers));
  for (const other of delimiters) {
    if (other === declared || header.length > 1) continue;
    const found = header[0].split(other).filter((name) => known.has(name.replaceAll('"', '')));
    if (found.length < 2) continue;
    const reason = `its columns are separated by ${names[other]}, the contract declares ${names[declared]}`;
    throw new FileRejected('wrong-delimiter', file, reason, `Export it with ${names[declared]}.`);
  }
}

const names = { ',': 'a comma', ';': 'a semicolon', '\t': 'a tab', '|': 'a vertical bar' } as const;
