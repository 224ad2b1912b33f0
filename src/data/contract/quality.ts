import { quoteName, quoteText } from '../quote.ts';
import type { Finding } from '../strict-parse.ts';
import { type Comparison, type FileRule, type RowRule, operators } from './contract.ts';
import type { OdcsQuality } from './odcs.ts';

/** Where a rule stands: at a column, or (without `column`) at the whole object. */
export type RulePlace = { column?: string; path: PropertyKey[] };

/**
 * What one ODCS quality entry demands. A `custom` entry of the engine `bordereau` is a condition that each row satisfies;
 * `invalidValues` is one too, over its `validValues`; the other library metrics are figures of the whole file; `text` informs
 * people. What is wrong with the entry is added to `findings`.
 */
export function qualityRule(
  rule: OdcsQuality,
  place: RulePlace,
  findings: Finding[],
): { row?: RowRule; file?: FileRule } {
  const wrong = (message: string): object => {
    findings.push({ path: place.path, message });
    return {};
  };
  if (rule.type === 'text') return {};
  if (rule.type === 'custom') {
    if (rule.engine === undefined || !rule.implementation) {
      return wrong(
        'a custom rule needs "engine: bordereau" and as "implementation" the SQL condition that each row satisfies',
      );
    }
    return { row: rowRule(rule, place, rule.implementation) };
  }
  if (rule.metric === undefined) return wrong('a library rule needs a "metric"');

  const stated = operators.filter((operator) => rule[operator] !== undefined);
  if (stated.length !== 1) return wrong(`a library rule needs exactly one of ${operators.join(', ')}`);
  const must: Comparison = { operator: stated[0], value: rule[stated[0]]! };
  if (rule.metric === 'invalidValues') {
    const levels = validValues(rule);
    if (place.column === undefined || levels === undefined) {
      return wrong('invalidValues stands at a property and needs "arguments: { validValues: [ … ] }", a list of texts');
    }
    if (must.operator !== 'mustBe' || must.value !== 0)
      return wrong('invalidValues is checked row by row: write "mustBe: 0"');
    return { row: rowRule(rule, place, levelsCondition(place.column, levels)) };
  }

  if (rule.severity !== 'warn' && rule.severity !== 'halt') {
    return wrong(
      'a rule over the whole file needs "severity: warn" or "severity: halt"; single rows cannot be blamed for it',
    );
  }
  const named = rule.arguments?.['properties'];
  const columns = place.column === undefined && Array.isArray(named) ? named.map(String) : [place.column ?? ''];
  if (rule.metric === 'rowCount' && place.column !== undefined)
    return wrong('rowCount stands at the object, not at a property');
  if (rule.metric !== 'rowCount' && columns[0] === '') {
    return wrong(`${rule.metric} at the object needs "arguments: { properties: [ … ] }"`);
  }
  if (rule.metric === 'nullValues' && columns.length !== 1) return wrong('nullValues looks at one property');
  return {
    file: {
      name: rule.name,
      ...(place.column !== undefined && { column: place.column }),
      outcome: rule.severity,
      metric: rule.metric,
      columns: rule.metric === 'rowCount' ? [] : columns,
      unit: rule.unit,
      must,
      description: rule.description ?? `${rule.metric} ${must.operator} ${must.value} ${rule.unit}`,
    },
  };
}

/** The condition of an `invalidValues` rule: the column has one of its levels. */
export function levelsCondition(column: string, levels: readonly string[]): string {
  return `${quoteName(column)} IN (${levels.map(quoteText).join(', ')})`;
}

/** The values that an `invalidValues` rule allows, if it is one. */
export function validValues(rule: OdcsQuality): string[] | undefined {
  const values = rule.metric === 'invalidValues' ? rule.arguments?.['validValues'] : undefined;
  return Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string')
    ? values
    : undefined;
}

function rowRule(rule: OdcsQuality, place: RulePlace, condition: string): RowRule {
  return {
    name: rule.name,
    ...(place.column !== undefined && { column: place.column }),
    outcome: rule.severity ?? 'quarantine',
    condition,
    description: rule.description ?? condition,
  };
}
