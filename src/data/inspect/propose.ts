import { stringify } from 'yaml';
import type { Delimiter, LogicalType } from '../contract/contract.ts';
import { type PrivacyClass, tellingClass } from '../contract/privacy-class.ts';
import type { Encoding } from '../encoding.ts';
import type { InferredColumn } from './infer.ts';

export type ProposalOptions = {
  /** The contract's id, an URN. */
  id: string;
  /** The source's name: letters, digits and `_`. */
  name: string;
  /** @default - a comma */
  delimiter?: Delimiter;
  encoding: Encoding;
  /** The file has columns that no contract can describe. */
  ignoreUnknown?: boolean;
  /** The header of the column whose values are a rule where there are two of them: the event that a model learns. */
  event?: string;
};

export type Proposal = {
  /** ODCS 3.1. */
  yaml: string;
  /** The columns that make a row and its time; stand-ins where the file has none. */
  key: string;
  eventTime: string;
  columns: ProposedColumn[];
};

export type ProposedColumn = {
  name: string;
  type: LogicalType;
  inferred?: InferredColumn;
  privacy?: PrivacyClass;
};

/**
 * A data contract by which the file would be accepted, as a draft for a person to read: what is rare in the sample is not made
 * a rule. It has no bounds but zero, for the sample's own extremes are accidents; and it classes on the safe side what looks
 * like a person's data. A file without a key gets one of line numbers, one without a recording time the time of its arrival.
 */
export function proposeContract(inferred: readonly InferredColumn[], options: ProposalOptions): Proposal {
  const named = columnNames(inferred.map(({ header }) => header)).map((name, c) => ({ name, inferred: inferred[c] }));
  const key = named.find(
    ({ name, inferred: column }) => column.nearlyUnique && keyLike.test(name) && tellingClass([name]) === undefined,
  )?.name;
  const time = named.find(
    ({ name, inferred: column }) => column.type === 'timestamp' && column.missing === 0 && timeLike.test(name),
  )?.name;
  const taken = new Set(named.map(({ name }) => name));
  const standInKey = key === undefined ? free('row_id', taken) : undefined;
  const standInTime = time === undefined ? free('recorded_at', taken) : undefined;

  const columns = named.map(({ name, inferred: column }) =>
    proposedColumn(name, column, { isKey: name === key, isTime: name === time }),
  );
  const document = {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: options.id,
    version: '1.0.0',
    status: 'draft',
    schema: [
      {
        name: options.name,
        logicalType: 'object',
        physicalType: 'file',
        customProperties: objectProperties(columns, options),
        properties: [
          ...(standInKey
            ? [property(standInKey, 'string', { primaryKey: true, whenAbsent: 'lineNumber', privacy: 'identifier' })]
            : []),
          ...columns.map((column) =>
            odcsProperty(column, {
              isKey: column.name === key,
              isEvent: [column.name, column.inferred?.header].includes(options.event),
            }),
          ),
          ...(standInTime
            ? [property(standInTime, 'timestamp', { whenAbsent: 'arrivalTime', privacy: 'recordTime' })]
            : []),
        ],
      },
    ],
  };
  return {
    yaml: `# Proposed from a sample: read it, correct it, and only then rely on it.\n${stringify(document, { lineWidth: 120, compat: 'yaml-1.1' })}`,
    key: key ?? standInKey!,
    eventTime: time ?? standInTime!,
    columns,
  };
}

const keyLike = /(^|_)(id|key|uuid|guid|number|no|nr|num|code)$/;
const identifierLike = /(^|_)(id|key|uuid|guid)$/;
const timeLike =
  /^(timestamp|(recorded|received|created|updated|inserted|loaded|ingested|reported|submitted)(_at|_on|_time|_ts|_date)?)$/;
const moneyLike = /(^|_)(amount|charges?|premium|cost|paid|incurred|reserve)s?($|_)/;

/** `Policy Number (new)` → `policy_number_new`; names that SQL does not tell apart are numbered. */
function columnNames(headers: readonly string[]): string[] {
  const taken = new Set<string>();
  return headers.map((header, c) => {
    const words = header
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2');
    const name = words
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^[_0-9]+|_+$/g, '')
      .slice(0, 90);
    const unique = free(name || `column_${c + 1}`, taken);
    taken.add(unique);
    return unique;
  });
}

function free(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) if (!taken.has(`${name}_${n}`)) return `${name}_${n}`;
}

function proposedColumn(
  name: string,
  inferred: InferredColumn,
  { isKey, isTime }: { isKey: boolean; isTime: boolean },
): ProposedColumn {
  const { type } = inferred;
  if (isTime) return { name, type, inferred, privacy: 'recordTime' };
  const telling = tellingClass([name, inferred.header]);
  if (isKey || (telling === undefined && identifierLike.test(name)))
    return { name, type: 'string', inferred, privacy: 'identifier' };
  if (telling === undefined) return { name, type, inferred };
  // postal codes are texts, whatever they look like
  if (telling === 'zip') return { name, type: 'string', inferred, privacy: telling };
  const isAge = telling === 'age' && (type === 'integer' || type === 'number');
  const isBirth = telling === 'birthDate' && (type === 'date' || type === 'timestamp');
  const keepsClass = isAge || isBirth || (telling !== 'age' && telling !== 'birthDate');
  return { name, type, inferred, privacy: keepsClass ? telling : 'freeText' };
}

function odcsProperty(
  { name, type, inferred, privacy }: ProposedColumn,
  { isKey, isEvent }: { isKey: boolean; isEvent: boolean },
): object {
  const { header, missing, nonNegative, zeroOrOne, booleans, levels } = inferred!;
  const numeric = type === 'integer' || type === 'number';
  return property(name, type, {
    ...(header !== name && { physicalName: header }),
    primaryKey: isKey,
    required: isKey || missing === 0,
    ...(numeric && nonNegative && { logicalTypeOptions: { minimum: 0, ...(isEvent && zeroOrOne && { maximum: 1 }) } }),
    ...(booleans && { case: 'lower', values: booleans }),
    ...(levels && type === 'string' && { levels }),
    privacy,
  });
}

type PropertyParts = {
  physicalName?: string;
  primaryKey?: boolean;
  required?: boolean;
  logicalTypeOptions?: object;
  levels?: string[];
  /** The rest are customProperties. */
  [custom: string]: unknown;
};

function property(name: string, logicalType: LogicalType, parts: PropertyParts): object {
  const { physicalName, primaryKey, required = true, logicalTypeOptions, levels, ...custom } = parts;
  const properties = Object.entries(custom).filter(([, value]) => value !== undefined);
  return {
    name,
    ...(physicalName !== undefined && { physicalName }),
    logicalType,
    ...(primaryKey && { primaryKey, unique: true }),
    required,
    ...(logicalTypeOptions && { logicalTypeOptions }),
    ...(properties.length > 0 && {
      customProperties: properties.map(([known, value]) => ({ property: known, value })),
    }),
    ...(levels && {
      quality: [
        {
          name: `${name}_known`,
          metric: 'invalidValues',
          arguments: { validValues: levels },
          mustBe: 0,
          severity: 'quarantine',
          description: `${name} is one of the values that its column enumerates`,
        },
      ],
    }),
  };
}

function objectProperties(
  columns: readonly ProposedColumn[],
  options: ProposalOptions,
): { property: string; value: unknown }[] {
  const money = columns.filter(({ name, type }) => type === 'number' && moneyLike.test(name)).map(({ name }) => name);
  return [
    { property: 'delimiter', value: options.delimiter ?? ',' },
    ...(options.encoding === 'utf-8' ? [] : [{ property: 'encoding', value: options.encoding }]),
    { property: 'unknownColumns', value: options.ignoreUnknown ? 'ignore' : 'reject' },
    { property: 'maximumQuarantinedShare', value: 0.1 },
    ...(money.length > 0 ? [{ property: 'controlTotals', value: money }] : []),
  ];
}
