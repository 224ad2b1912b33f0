import type { CsvLimits } from './csv-scanner.ts';
import { checkColumnNames } from './column-names.ts';
import { FileRejected } from './file-rejected.ts';
import { plainDecimal } from './plain-decimal.ts';
import { refuseBinary } from './plain-text.ts';
import type { MalformedRecord, Records } from './records.ts';
import { TextColumn } from './text-column.ts';

type JsonRule = keyof typeof jsonRules;

/** What each rule of form asks for. */
export const jsonRules = {
  'jsonl.object': 'a line is one JSON object',
  'jsonl.flat': 'a value is a text, a number, true, false or null',
  'jsonl.keys': 'a key stands once in its object',
  'jsonl.text': 'texts are well-formed Unicode without NUL',
};

/**
 * Reads JSON lines: one flat object per line, in UTF-8. The columns are all keys of the file, in the order in which they come;
 * an object without a key, and null, are missing values. A number keeps the digits in which it is written (`JSON.parse` would
 * round `12345678901234567890`), but for an exponent, which is written out. Blank lines are no records.
 */
export function readJsonLines(bytes: Uint8Array, { file, limits }: { file: string; limits: CsvLimits }): Records {
  if (bytes.length > limits.fileBytes) {
    const reason = `it has ${bytes.length} bytes, the limit is ${limits.fileBytes}`;
    throw new FileRejected('too-large', file, reason, 'Drop it in several parts.');
  }
  refuseBinary(bytes, file);
  const records = new JsonRecords(file, limits.columns);
  let line = 1;
  for (let start = bytes[0] === 0xef ? 3 : 0; start < bytes.length; line++) {
    const found = bytes.indexOf(lineFeed, start);
    const next = found < 0 ? bytes.length : found;
    const end = bytes[next - 1] === carriageReturn && next > start ? next - 1 : next;
    if (end - start > limits.lineBytes) {
      const reason = `line ${line} has more than ${limits.lineBytes} bytes`;
      throw new FileRejected('line-too-long', file, reason, 'Write one object per line.');
    }
    const text = decoder.decode(bytes.subarray(start, end));
    if (text.trim() !== '') records.add(text, line, start);
    start = next + 1;
  }
  return records.finish();
}

/** Collects the records of JSON objects that come one by one; columns may first appear in a late one. */
export class JsonRecords {
  readonly #file: string;
  readonly #mostColumns: number;
  readonly #columns = new Map<string, TextColumn>();
  readonly #raw = new TextColumn();
  readonly #lines: number[] = [];
  readonly #byteOffsets: number[] = [];
  readonly #malformed: MalformedRecord[] = [];

  constructor(file: string, mostColumns: number) {
    this.#file = file;
    this.#mostColumns = mostColumns;
  }

  /** `text` is the whole of one record; `byteOffset` is where it begins, or -1. */
  add(text: string, line: number, byteOffset: number): void {
    const members = membersOf(text);
    if (typeof members === 'string') {
      this.#malformed.push({ line, byteOffset, rule: members, reason: `not met: ${jsonRules[members]}`, raw: text });
      return;
    }
    const row = this.#lines.length;
    for (const [key, value] of members) {
      const column = this.#columns.get(key) ?? this.#newColumn(key);
      column.skipTo(row);
      column.appendText(value);
    }
    this.#lines.push(line);
    this.#byteOffsets.push(byteOffset);
    this.#raw.appendText(text);
  }

  finish(): Records {
    const header = [...this.#columns.keys()];
    if (header.length === 0) {
      const isEmpty = this.#lines.length + this.#malformed.length === 0;
      const reason = isEmpty ? 'there is nothing in it' : 'none of its lines is a JSON object with values';
      throw new FileRejected(
        isEmpty ? 'empty' : 'wrong-format',
        this.#file,
        reason,
        'Drop a file with one JSON object per line.',
      );
    }
    checkColumnNames(header, this.#file);
    const fields = [...this.#columns.values()].map((column) => {
      column.skipTo(this.#lines.length);
      return column.finish();
    });
    return {
      header,
      lines: Int32Array.from(this.#lines),
      byteOffsets: Int32Array.from(this.#byteOffsets),
      raw: this.#raw.finish(),
      fields,
      malformed: this.#malformed,
    };
  }

  #newColumn(key: string): TextColumn {
    if (this.#columns.size === this.#mostColumns) {
      const reason = `its objects have more than ${this.#mostColumns} keys in all`;
      throw new FileRejected('too-many-columns', this.#file, reason, 'Put what varies into values instead of keys.');
    }
    const column = new TextColumn();
    this.#columns.set(key, column);
    return column;
  }
}

/** The members of one flat object, values as texts ('' is missing), or the rule that the text breaks. */
function membersOf(text: string): Map<string, string> | JsonRule {
  try {
    JSON.parse(text);
  } catch {
    return 'jsonl.object';
  }
  // what follows relies on valid JSON, so that its patterns need not be strict
  const opening = /^\s*\{\s*(\}\s*$)?/.exec(text);
  if (opening === null) return 'jsonl.object';
  const members = new Map<string, string>();
  if (opening[1] !== undefined) return members;
  const member = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[-\w.+]+)\s*(,|\})/y;
  member.lastIndex = opening[0].length;
  for (;;) {
    const found = member.exec(text);
    if (found === null) return 'jsonl.flat';
    const key = JSON.parse(found[1]) as string;
    const value = valueText(found[2]);
    if (members.has(key)) return 'jsonl.keys';
    if (![key, value].every((part) => part.isWellFormed() && !part.includes('\0'))) return 'jsonl.text';
    members.set(key, value);
    if (found[3] === '}') return members;
  }
}

function valueText(token: string): string {
  if (token.startsWith('"')) return JSON.parse(token) as string;
  return token === 'null' ? '' : plainDecimal(token);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
