import type { Encoding } from '../encoding.ts';
import type { Format } from '../format.ts';
import type { PrivacyClass } from './privacy-class.ts';

/** A data contract as the product uses it: plain data, read from ODCS 3.1 by `parseContract`. */
export type Contract = {
  id: string;
  version: string;
  /** The schema object's name: what the silver view of this source is called. */
  name: string;
  columns: Column[];
  /** Conditions on single rows, beyond what the columns demand of themselves. */
  rowRules: RowRule[];
  /** Figures of the whole file. */
  fileRules: FileRule[];
  /** @default - told by the content of each file */
  format?: Format;
  /** Of CSV and JSON lines. @default - utf-8 */
  encoding?: Encoding;
  csv: { delimiter: Delimiter; unknownColumns: 'reject' | 'ignore' };
  /** The share of quarantined rows above which the file is halted. */
  maximumQuarantinedShare: number;
  /** The least number of people who share their quasi-identifiers in a table that is released. @default 11 */
  smallestGroup?: number;
  /** Files come with a manifest, and wait for it. @default - a file that no manifest names is a drop by itself */
  manifest?: 'required';
  /** Number columns whose sums must come out to the cent: what was dropped is what was kept and what was not. */
  controlTotals?: string[];
  /** How far back the source may deliver. @default - as far as it likes */
  lookBack?: LookBack;
};

/** What comes later than usual is taken and counted; what tells of a time before the look-back has an outcome of its own. */
export type LookBack = {
  /** The column that says when it happened. */
  from: string;
  /** The column that says when it came. @default - the drop's arrival */
  to?: string;
  /** Later than so many days is late. */
  onTimeDays: number;
  mostDays: number;
  beyond: 'warn' | 'quarantine';
};

export const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

/** What happens to a row (or, for halt and for rules over the file, to the file) that breaks a rule. */
export const outcomes = ['warn', 'quarantine', 'halt'] as const;
export type Outcome = (typeof outcomes)[number];

export const logicalTypes = ['string', 'integer', 'number', 'boolean', 'date', 'timestamp'] as const;
export type LogicalType = (typeof logicalTypes)[number];

export type Column = {
  name: string;
  description?: string;
  /** The unit of a number: an ISO 4217 code, `years`, `kg/m2` … */
  unit?: string;
  /** Under which names a file may carry it, most usual first. */
  headers: string[];
  type: LogicalType;
  /** The column's type in silver: DuckDB's name, such as `BIGINT` or `DECIMAL(9,2)`. */
  sqlType: string;
  required: boolean;
  /** No two accepted rows of one file share a value. */
  unique: boolean;
  primaryKey: boolean;
  /** Letters are brought to this case before anything is checked. */
  letterCase?: 'upper' | 'lower';
  /** What a file may write → what it means; anything else is quarantined. */
  values?: { [written: string]: string };
  /** The only values allowed, after `letterCase` and `values`. */
  levels?: string[];
  /** How confidential the sender takes it to be, in their own words; `restricted` demands a `privacy` that protects it. */
  classification?: string;
  /** What it tells about a person. @default - guessed on the safe side by `privacyClassOf` */
  privacy?: PrivacyClass;
  /**
   * SQL over the other columns as they were delivered, computed before those are de-identified: of a window over dates only
   * the number gets out. It sees the rows of its own drop.
   */
  derived?: string;
  /** What stands in for the column in a file that lacks it; without this such a file is rejected. */
  whenAbsent?: 'lineNumber' | 'arrivalTime' | 'missing';
  minimum?: number | string;
  maximum?: number | string;
  exclusiveMinimum?: number | string;
  exclusiveMaximum?: number | string;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
};

export type RowRule = {
  name: string;
  column?: string;
  outcome: Outcome;
  /** An SQL condition that each row satisfies; where it is unknown (a missing value) the row passes. */
  condition: string;
  description: string;
};

export const metrics = ['nullValues', 'duplicateValues', 'rowCount'] as const;
export type Metric = (typeof metrics)[number];

export type FileRule = {
  name: string;
  column?: string;
  outcome: 'warn' | 'halt';
  metric: Metric;
  /** Of `duplicateValues`: the columns that together must not repeat. */
  columns: string[];
  /** `percent` compares the share of the accepted rows, times 100. */
  unit: 'rows' | 'percent';
  must: Comparison;
  description: string;
};

export const operators = [
  'mustBe',
  'mustNotBe',
  'mustBeGreaterThan',
  'mustBeGreaterOrEqualTo',
  'mustBeLessThan',
  'mustBeLessOrEqualTo',
] as const;
export type Comparison = { operator: (typeof operators)[number]; value: number };
