import type { DeltaType, Field } from './schema.ts';

/*
 * SQL types that are stored as themselves or, without loss, as another; all that is missing here has no place in a table:
 * HUGEINT (what sum() of integers gives), TIME, INTERVAL, BIT, TIMESTAMP_NS, UNION and a column of bare NULLs.
 */
const deltaNames: { [sqlName: string]: DeltaType } = {
  BOOLEAN: 'boolean',
  TINYINT: 'byte',
  SMALLINT: 'short',
  INTEGER: 'integer',
  BIGINT: 'long',
  UTINYINT: 'short',
  USMALLINT: 'integer',
  UINTEGER: 'long',
  UBIGINT: 'decimal(20,0)',
  FLOAT: 'float',
  DOUBLE: 'double',
  VARCHAR: 'string',
  UUID: 'string',
  JSON: 'string',
  BLOB: 'binary',
  DATE: 'date',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  TIMESTAMP: 'timestamp_ntz',
  TIMESTAMP_S: 'timestamp_ntz',
  TIMESTAMP_MS: 'timestamp_ntz',
};

/**
 * The Delta type that holds a DuckDB column, from the type's name as DESCRIBE prints it; undefined where none does.
 * Everything is nullable, as it is in the Parquet files that DuckDB writes.
 */
export function deltaTypeOf(sqlType: string): DeltaType | undefined {
  const reader = { text: sqlType, at: 0 };
  const type = readType(reader);
  return reader.at === sqlType.length ? type : undefined;
}

type Reader = { text: string; at: number };

/** type = (STRUCT "(" fields ")" | MAP "(" type "," type ")" | ENUM "(" … ")" | DECIMAL "(" p "," s ")" | name) { "[" n "]" } */
function readType(reader: Reader): DeltaType | undefined {
  let type: DeltaType | undefined;
  if (take(reader, /STRUCT\(/y)) type = readStruct(reader);
  else if (take(reader, /MAP\(/y)) type = readMap(reader);
  else if (take(reader, /ENUM\((?:'(?:[^']|'')*'(?:, )?)*\)/y)) type = 'string';
  else {
    const [, precision, scale] = take(reader, /DECIMAL\((\d+),(\d+)\)/y) ?? [];
    if (precision) type = `decimal(${Number(precision)},${Number(scale)})`;
    else type = readName(reader);
  }
  while (type && take(reader, /\[\d*\]/y)) type = { type: 'array', elementType: type, containsNull: true };
  return type;
}

function readName(reader: Reader): DeltaType | undefined {
  const [name = ''] = take(reader, /[A-Z_]+(?: WITH TIME ZONE)?/y) ?? [];
  return Object.hasOwn(deltaNames, name) ? deltaNames[name] : undefined;
}

function readStruct(reader: Reader): DeltaType | undefined {
  const fields: Field[] = [];
  do {
    const [, quoted, bare] = take(reader, /(?:"((?:[^"]|"")*)"|([^"(), ]+)) /y) ?? [];
    const type = readType(reader);
    if (!type) return undefined;
    fields.push({ name: quoted?.replaceAll('""', '"') ?? bare, type, nullable: true, metadata: {} });
  } while (take(reader, /, /y));
  return take(reader, /\)/y) ? { type: 'struct', fields } : undefined;
}

function readMap(reader: Reader): DeltaType | undefined {
  const keyType = readType(reader);
  const comma = take(reader, /, /y);
  const valueType = readType(reader);
  if (!keyType || !comma || !valueType || !take(reader, /\)/y)) return undefined;
  return { type: 'map', keyType, valueType, valueContainsNull: true };
}

/** Moves behind the expression where it matches at the place reached. */
function take(reader: Reader, expression: RegExp): RegExpExecArray | null {
  expression.lastIndex = reader.at;
  const found = expression.exec(reader.text);
  if (found) reader.at = expression.lastIndex;
  return found;
}
