import * as z from 'zod';
import { nearest } from '../nearest.ts';
import { type Finding, strictParse } from '../strict-parse.ts';
import { encodings } from '../encoding.ts';
import { formats } from '../format.ts';
import { delimiters } from './contract.ts';
import { privacyClasses } from './privacy-class.ts';

/*
 * What the standard has no field for stands in its customProperties. Names that are not ours belong to other tools and are
 * left alone, unless they look like one of ours misspelt.
 */

const days = z
  .string()
  .regex(/^P\d+D$/, 'must be a number of days such as P30D')
  .transform((text) => Number(text.slice(1, -1)));

const columnProperties = {
  /** The unit of the values: an ISO 4217 code, `years`, `kg/m2` … */
  unit: z.string().min(1),
  /** Other headers under which files carry the column. */
  aliases: z.array(z.string().min(1)).min(1),
  /** Bring letters to this case before anything is checked. */
  case: z.enum(['upper', 'lower']),
  /** What a file may write: what it means. Anything else is quarantined. */
  values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)),
  /** What stands in for the column in a file without it. */
  whenAbsent: z.enum(['lineNumber', 'arrivalTime', 'missing']),
  /** What the column tells about a person. */
  privacy: z.enum(privacyClasses),
  /** SQL over the columns as delivered, computed before they are de-identified. */
  derived: z.string().min(1),
};

const objectProperties = {
  /** How files are written. @default - told by their content */
  format: z.enum(formats).optional(),
  encoding: z.enum(encodings).optional(),
  delimiter: z.enum(delimiters).default(','),
  /** Whether a file may have columns that the contract does not know. */
  unknownColumns: z.enum(['reject', 'ignore']).default('reject'),
  /** Above this share of quarantined rows the file is halted. */
  maximumQuarantinedShare: z.number().min(0).max(1).default(1),
  /** The least number of people who share their quasi-identifiers in a table that is released. @default 11 */
  smallestGroup: z.int().min(2).optional(),
  /** Whether a file waits for a manifest that names it. @default - only where there is one */
  manifest: z.enum(['required']).optional(),
  /** Columns whose sums are compared with what the sender says, and are reconciled to the cent. */
  controlTotals: z.array(z.string().min(1)).min(1).optional(),
  /** From when until when a row is on its way, what is late, and how far back the source may deliver at most. */
  lookBack: z
    .strictObject({
      from: z.string().min(1),
      to: z.string().min(1).optional(),
      onTime: days,
      most: days,
      beyond: z.enum(['warn', 'quarantine']),
    })
    .transform(({ onTime, most, ...rest }) => ({ ...rest, onTimeDays: onTime, mostDays: most }))
    .optional(),
};

type Entries = readonly { property: string; value: unknown }[] | undefined;
type ColumnSettings = Partial<z.output<z.ZodObject<typeof columnProperties>>>;
type ObjectSettings = z.output<z.ZodObject<typeof objectProperties>>;

/** What the customProperties of a column say; what is wrong with them is added to `findings`. */
export function columnSettings(entries: Entries, path: PropertyKey[], findings: Finding[]): ColumnSettings {
  return settings(entries, columnProperties, path, findings);
}

/** What the customProperties of the schema object say, or the defaults. */
export function objectSettings(entries: Entries, path: PropertyKey[], findings: Finding[]): ObjectSettings {
  const defaults = z.object(objectProperties).parse({});
  return { ...defaults, ...settings(entries, objectProperties, path, findings) };
}

function settings<Shape extends { [name: string]: z.ZodType }>(
  entries: Entries = [],
  shape: Shape,
  path: PropertyKey[],
  findings: Finding[],
): Partial<z.output<z.ZodObject<Shape>>> {
  const found = new Map<string, unknown>();
  for (const [i, { property, value }] of entries.entries()) {
    if (!Object.hasOwn(shape, property)) {
      const meant = nearest(property, Object.keys(shape));
      if (meant)
        findings.push({ path: [...path, i], message: `there is no property "${property}". Did you mean "${meant}"?` });
      continue;
    }
    if (found.has(property)) findings.push({ path: [...path, i], message: `"${property}" stands here twice` });
    const parsed = strictParse(shape[property], value);
    if (parsed.findings) {
      findings.push(...parsed.findings.map((f) => ({ path: [...path, i, 'value', ...f.path], message: f.message })));
    } else found.set(property, parsed.value);
  }
  return Object.fromEntries(found) as Partial<z.output<z.ZodObject<Shape>>>;
}
