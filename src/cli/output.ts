import { styleText } from 'node:util';
import type { Json } from '../data/json.ts';

export type Style = Parameters<typeof styleText>[0];

/** Data goes to stdout; progress, notes and errors to stderr, so that a pipe gets data alone. */
export type Output = {
  json: boolean;
  quiet: boolean;
  /** Whether a person is watching stderr, and lines may be redrawn. */
  live: boolean;
  /** One line of data. Nothing with `--json`: the document is the only data then. */
  print: (line?: string) => void;
  /** The one document of a `--json` run. */
  document: (value: Json) => void;
  /** One line of progress or comment, unless `--quiet`. */
  note: (line: string) => void;
  /** One line that even `--quiet` shows. */
  error: (line: string) => void;
  /** Characters in a line of the terminal; 100 where there is none. */
  width: number;
  style: (style: Style, text: string) => string;
  /** Rows under their headings, numbers to the right. */
  table: (headings: readonly string[], rows: readonly (readonly string[])[]) => void;
};

export type Streams = { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream };

export function createOutput(
  options: { json: boolean; quiet: boolean; color: boolean },
  streams: Streams = process,
): Output {
  const { stdout, stderr } = streams;
  const style = (style: Style, text: string) =>
    options.color ? styleText(style, text, { validateStream: false }) : text;
  const print = (line = '') => {
    if (!options.json) stdout.write(`${line}\n`);
  };
  return {
    json: options.json,
    quiet: options.quiet,
    live: stderr.isTTY && !options.quiet && process.env['TERM'] !== 'dumb' && !process.env['CI'],
    print,
    document: (value) => {
      if (options.json) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    note: (line) => {
      if (!options.quiet) stderr.write(`${line}\n`);
    },
    error: (line) => void stderr.write(`${line}\n`),
    width: stdout.columns ?? 100,
    style,
    table: (headings, rows) => {
      for (const line of tableLines(headings, rows)) print(line);
    },
  };
}

/** Columns as wide as their widest cell; a column whose cells are all numbers is set to the right. */
export function tableLines(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, c) => Math.max(heading.length, ...rows.map((row) => row[c].length)));
  const numeric = headings.map(
    (_, c) => rows.length > 0 && rows.every((row) => /^[-+$]?[\d,.]+( ?%)?$|^$|^–$/.test(row[c])),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(headings), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}

/** A value of a query as a cell of a table: nothing for null, JSON for what is nested. */
export function cellText(value: Json): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
