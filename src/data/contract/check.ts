import { conditionFindings } from '../condition.ts';
import { didYouMean } from '../nearest.ts';
import { patterns } from '../quality/grammar.ts';
import type { Finding } from '../strict-parse.ts';
import type { Column, Contract, LogicalType } from './contract.ts';
import { privacyFindings } from './privacy-class.ts';

/**
 * Where a contract contradicts itself or asks for what no file can satisfy. Paths lead into the ODCS document that it was
 * read from, so they speak of `schema[0].properties[…]`.
 */
export function contractFindings(contract: Contract): Finding[] {
  const findings: Finding[] = [];
  const names = contract.columns.map((column) => column.name);
  const at = (i: number, ...rest: PropertyKey[]): PropertyKey[] => ['schema', 0, 'properties', i, ...rest];
  const add = (path: PropertyKey[], messages: readonly string[]): void => {
    findings.push(...messages.map((message) => ({ path, message })));
  };

  add(['schema', 0, 'name'], nameFindings(contract.name));
  if (contract.columns.filter(({ primaryKey }) => primaryKey).length > 1) {
    add(['schema', 0, 'properties'], ['more than one property is a primaryKey: the key of a source is one column']);
  }
  for (const [i, column] of contract.columns.entries()) {
    add(at(i, 'name'), nameFindings(column.name));
    add(
      at(i, 'name'),
      repeated(names, i, (name) => `there are two columns "${name}"`),
    );
    add(at(i), headerFindings(contract.columns, i));
    add(at(i), absenceFindings(column));
    add(at(i, 'physicalType'), sqlTypeFindings(column));
    add(at(i, 'logicalTypeOptions'), optionFindings(column));
    add(at(i), valueFindings(column));
    add(at(i), privacyFindings(column));
    if (column.derived !== undefined) {
      const others = names.filter((name) => name !== column.name);
      add(
        at(i),
        conditionFindings(column.derived.replaceAll(windowWords, ' '), others).map(
          (message) => `"derived": ${message}`,
        ),
      );
    }
  }

  for (const name of contract.controlTotals ?? []) {
    const column = contract.columns.find((candidate) => candidate.name === name);
    const numeric = column?.type === 'number' || column?.type === 'integer';
    const message = column
      ? `"controlTotals": "${name}" is no number`
      : `"controlTotals": there is no column "${name}".${didYouMean(name, names)}`;
    if (!numeric) add(['schema', 0, 'customProperties'], [message]);
  }

  add(['schema', 0, 'customProperties'], lookBackFindings(contract));

  const rules = [...contract.rowRules, ...contract.fileRules];
  for (const [i, rule] of rules.entries()) {
    const path = rule.column === undefined ? ['schema', 0, 'quality'] : at(names.indexOf(rule.column), 'quality');
    add(
      path,
      repeated(
        rules.map(({ name }) => name),
        i,
        (name) => `there are two rules "${name}"`,
      ),
    );
  }
  for (const rule of contract.rowRules) {
    const path = rule.column === undefined ? ['schema', 0, 'quality'] : at(names.indexOf(rule.column), 'quality');
    add(
      path,
      conditionFindings(rule.condition, names).map((message) => `rule "${rule.name}": ${message}`),
    );
  }
  for (const rule of contract.fileRules) {
    const unknown = rule.columns.filter((name) => !names.includes(name));
    add(
      ['schema', 0, 'quality'],
      unknown.map((name) => `rule "${rule.name}": there is no column "${name}".${didYouMean(name, names)}`),
    );
  }
  return findings;
}

function lookBackFindings({ lookBack, columns }: Contract): string[] {
  if (!lookBack) return [];
  const { from, to, onTimeDays, mostDays } = lookBack;
  const names = columns.map(({ name }) => name);
  const findings = [from, ...(to === undefined ? [] : [to])].flatMap((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) return [`"lookBack": there is no column "${name}".${didYouMean(name, names)}`];
    return column.type === 'date' || column.type === 'timestamp'
      ? []
      : [`"lookBack": "${name}" is no date or timestamp`];
  });
  if (onTimeDays >= mostDays) findings.push('"lookBack": "onTime" is not below "most", so nothing could be late');
  return findings;
}

/** What makes a window of an expression; all else in it is checked as in a condition. */
const windowWords =
  /\b(over|partition|order|by|asc|desc|range|rows|preceding|following|unbounded|current|row|filter|where)\b/gi;

function nameFindings(name: string): string[] {
  if (/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name)) return [];
  return [`"${name}" cannot name a column or table: write letters, digits and "_", beginning with a letter`];
}

/** The message where an earlier entry has the same name; SQL does not tell `Age` from `age`. */
function repeated(names: readonly string[], i: number, message: (name: string) => string): string[] {
  const first = names.findIndex((name) => name.toLowerCase() === names[i].toLowerCase());
  return first < i ? [message(names[i])] : [];
}

function headerFindings(columns: readonly Column[], i: number): string[] {
  const others = new Set(columns.slice(0, i).flatMap((column) => column.headers));
  return columns[i].headers
    .filter((header, h) => others.has(header) || columns[i].headers.indexOf(header) < h)
    .map((header) => `the header "${header}" already stands for a column`);
}

function absenceFindings(column: Column): string[] {
  const { whenAbsent, type } = column;
  if (whenAbsent === 'missing' && column.required) {
    return ['"whenAbsent: missing" contradicts "required: true": every row of such a file would be quarantined'];
  }
  if (whenAbsent === 'lineNumber' && !(type === 'string' && satisfies('0123abcd-1', column))) {
    return ['"whenAbsent: lineNumber" makes texts such as 0123abcd-1, which the column does not allow'];
  }
  if (whenAbsent === 'arrivalTime' && type !== 'timestamp') {
    return [`"whenAbsent: arrivalTime" needs the logicalType timestamp, it is ${type}`];
  }
  return [];
}

const sqlTypes: { [type in LogicalType]: string[] } = {
  string: ['VARCHAR'],
  integer: ['SMALLINT', 'INTEGER', 'BIGINT'],
  number: ['DOUBLE', 'DECIMAL(p,s)'],
  boolean: ['BOOLEAN'],
  date: ['DATE'],
  timestamp: ['TIMESTAMP'],
};

function sqlTypeFindings({ type, sqlType }: Column): string[] {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(sqlType) ?? [];
  const general = precision === undefined ? sqlType : 'DECIMAL(p,s)';
  if (!sqlTypes[type].includes(general)) {
    return [`the logicalType ${type} cannot be stored as ${sqlType}; possible: ${sqlTypes[type].join(', ')}`];
  }
  const fits = precision === undefined || (Number(precision) <= 38 && Number(scale) <= Number(precision));
  return fits ? [] : [`${sqlType} has more than 38 digits, or more of them after the point than in all`];
}

function optionFindings(column: Column): string[] {
  const findings: string[] = [];
  const numeric = column.type === 'integer' || column.type === 'number';
  const temporal = column.type === 'date' || column.type === 'timestamp';
  for (const option of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const) {
    const bound = column[option];
    if (bound === undefined) continue;
    const fits = numeric
      ? typeof bound === 'number'
      : temporal && typeof bound === 'string' && isWritten(bound, column.type);
    if (!fits) findings.push(`"${option}" does not fit the logicalType ${column.type}`);
  }
  for (const option of ['minLength', 'maxLength', 'pattern'] as const) {
    if (column[option] !== undefined && column.type !== 'string')
      findings.push(`"${option}" needs the logicalType string`);
  }
  if (column.multipleOf !== undefined && !(column.type === 'integer' && Number.isInteger(column.multipleOf))) {
    findings.push('"multipleOf" needs the logicalType integer and a whole number');
  }
  if (column.pattern !== undefined && !compiles(column.pattern)) findings.push('"pattern" is not a regular expression');
  if (/\(\?[=!<]|\\[1-9]/.test(column.pattern ?? '')) {
    findings.push('"pattern" looks around or back, which the SQL engine does not do');
  }
  if (findings.length === 0 && isEmptyRange(column))
    findings.push('no value lies between its bounds: minimum above maximum');
  return findings;
}

function isEmptyRange(column: Column): boolean {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, minLength = 0, maxLength = Infinity } = column;
  const above = (low?: number | string, high?: number | string, touching = false): boolean =>
    low !== undefined && high !== undefined && (low > high || (touching && low === high));
  return (
    minLength > maxLength ||
    above(minimum, maximum) ||
    above(minimum, exclusiveMaximum, true) ||
    above(exclusiveMinimum, maximum, true) ||
    above(exclusiveMinimum, exclusiveMaximum, true)
  );
}

function valueFindings(column: Column): string[] {
  const { values, levels, letterCase, type } = column;
  const findings: string[] = [];
  if ((letterCase || levels) && type !== 'string' && !values) {
    findings.push(`"case" and "invalidValues" need texts, the logicalType is ${type}`);
  }
  for (const [written, meant] of Object.entries(values ?? {})) {
    if (written !== inCase(written, letterCase))
      findings.push(`"${written}" cannot occur, letters are brought to ${letterCase} case first`);
    if (!isWritten(meant, type))
      findings.push(`"${written}" stands for "${meant}", which is not of the logicalType ${type}`);
    if (levels && !levels.includes(meant))
      findings.push(`"${written}" stands for "${meant}", which is not among the valid values`);
  }
  for (const [i, level] of (levels ?? []).entries()) {
    if (levels!.indexOf(level) < i) findings.push(`the valid value "${level}" stands there twice`);
    if (!values && level !== inCase(level, letterCase)) {
      findings.push(`the valid value "${level}" cannot occur, letters are brought to ${letterCase} case first`);
    }
    if (!satisfies(level, column))
      findings.push(`the valid value "${level}" breaks the column's own length or pattern`);
  }
  return findings;
}

function inCase(text: string, letterCase: Column['letterCase']): string {
  if (letterCase === undefined) return text;
  return letterCase === 'upper' ? text.toUpperCase() : text.toLowerCase();
}

function isWritten(text: string, type: LogicalType): boolean {
  return type === 'string' || new RegExp(`^(?:${patterns[type]})$`).test(text);
}

function satisfies(text: string, { minLength = 0, maxLength = Infinity, pattern, levels }: Column): boolean {
  if (text.length < minLength || text.length > maxLength || (levels && !levels.includes(text))) return false;
  return pattern === undefined || !compiles(pattern) || new RegExp(pattern).test(text);
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}
