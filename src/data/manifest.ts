import * as z from 'zod';
import { cents, millionths } from './decimal-text.ts';
import { FileRejected } from './file-rejected.ts';
import type { ControlTotal } from './quality/totals.ts';
import { pathText, strictParse } from './strict-parse.ts';

/** What a sender says of a drop of several files, in `<name>.manifest.json` beside them. */
export type Manifest = z.output<typeof manifestSchema>;

export const manifestEnding = '.manifest.json';

const amount = z.string().regex(/^-?\d+(\.\d{1,6})?$/, 'must be an amount as a text such as "1234.50"');
const manifestSchema = z.strictObject({
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[^/]+$/, 'must be the name of a file beside the manifest'),
        /** Of the file's bytes, hexadecimal. */
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
          .optional(),
      }),
    )
    .min(1),
  /** Of all files together, headers not counted. */
  rows: z.number().int().min(0),
  /** Column of the contract → what its values add up to in all files. */
  totals: z.record(z.string(), amount).default({}),
});

/** Reads a manifest; throws `FileRejected` (`malformed-manifest`) with everything that is wrong with it. */
export function parseManifest(bytes: Uint8Array, file: string): Manifest {
  const refuse = (reason: string): never => {
    throw new FileRejected('malformed-manifest', file, reason, 'Correct it and drop it again.');
  };
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('it is not JSON');
  }
  const { value, findings } = strictParse(manifestSchema, document);
  if (findings)
    return refuse(findings.map(({ path, message }) => `${pathText(path) || 'the document'} ${message}`).join('; '));
  const names = value.files.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  return twice === undefined ? value : refuse(`it names the file ${twice} twice`);
}

/** Where the files are not what their manifest says, one sentence with both figures each; amounts are compared to the cent. */
export function manifestDifferences(
  manifest: Manifest,
  found: { files: readonly { name: string; sha256: string }[]; rows: number; totals: readonly ControlTotal[] },
): string[] {
  const differences = manifest.files.flatMap(({ name, sha256 }) => {
    const came = found.files.find((file) => file.name === name)?.sha256;
    return sha256 === undefined || sha256 === came
      ? []
      : [`the manifest gives ${name} the SHA-256 ${sha256}, it has ${came}`];
  });
  if (manifest.rows !== found.rows)
    differences.push(`the manifest says ${manifest.rows} rows, the files have ${found.rows}`);
  for (const [column, said] of Object.entries(manifest.totals)) {
    const total = found.totals.find((candidate) => candidate.column === column);
    if (total === undefined) {
      differences.push(`the manifest has a total of ${column}, which the contract has not among its controlTotals`);
    } else if (cents(millionths(said)) !== cents(millionths(total.dropped))) {
      const unread = total.unreadableRows > 0 ? ` (${total.unreadableRows} rows have no readable amount)` : '';
      differences.push(
        `the manifest says that ${column} adds up to ${said}, in the files it is ${total.dropped}${unread}`,
      );
    }
  }
  return differences;
}
