import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';

export type Ran = { code: number; out: string; err: string };

/** Runs one command line in this process and catches what it prints. */
export async function runCli(...argv: string[]): Promise<Ran> {
  const ran = { out: '', err: '' };
  const catching = (stream: NodeJS.WriteStream, name: 'out' | 'err') =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      ran[name] += text.toString();
      return true;
    });
  const spies = [catching(process.stdout, 'out'), catching(process.stderr, 'err')];
  try {
    return { code: await main(argv), ...ran };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The document of a `--json` run that succeeded. */
export async function runJson<Document>(...argv: string[]): Promise<Document> {
  const { code, out, err } = await runCli(...argv, '--json');
  if (code !== 0 && code !== 5) throw new Error(`exit code ${code}: ${err}`);
  return JSON.parse(out) as Document;
}

/** A command line as it is typed: parted at the blanks, what is inserted kept whole. */
export function words(text: TemplateStringsArray, ...inserted: string[]): string[] {
  return text.flatMap((part, i) => [...part.split(' ').filter((word) => word !== ''), ...inserted.slice(i, i + 1)]);
}

/** A folder that goes away with the test; gives the path of a file in it, written where there is content. */
export function scratch(): (name: string, content?: string | Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), 'bordereau-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return (name, content) => {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content);
    return path;
  };
}

/** Columns as CSV text; null is an empty cell. */
export function csvOf(columns: Record<string, ArrayLike<string | number | null>>): string {
  const names = Object.keys(columns);
  const rows = Array.from({ length: columns[names[0]].length }, (_, row) =>
    names.map((name) => columns[name][row] ?? ''),
  );
  return [names, ...rows].map((cells) => cells.join(',')).join('\n') + '\n';
}

/** Rows of a fixture as named columns. */
export function columnsOf<Value>(
  names: readonly string[],
  rows: readonly (readonly Value[])[],
): Record<string, Value[]> {
  return Object.fromEntries(names.map((name, c) => [name, rows.map((row) => row[c])]));
}
