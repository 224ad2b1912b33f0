import { type Column, type Contract, type Outcome, outcomes } from './contract.ts';
import { levelsCondition } from './quality.ts';
import { storedType } from './silver.ts';

/**
 * One difference between two versions of a contract. `breaking`: the table that the old one made cannot take the new one's
 * rows, or its readers lose a column. `narrowing`: files that were accepted may be refused or quarantined in part. `additive`:
 * what was accepted still is, and more besides.
 */
export type ContractChange = { effect: 'breaking' | 'narrowing' | 'additive'; what: string; why: string };

/** Pure: what changes for senders of files and for readers of the silver table, the worst first. */
export function contractChanges(before: Contract, after: Contract): ContractChange[] {
  const changes: ContractChange[] = [];
  const add = (effect: ContractChange['effect'], what: string, why: string): void =>
    void changes.push({ effect, what, why });

  if (before.name !== after.name)
    add('breaking', `source ${before.name} → ${after.name}`, 'its table and its view have that name');
  for (const column of before.columns) {
    const now = after.columns.find(({ name }) => name === column.name);
    if (now === undefined)
      add(
        'breaking',
        `column ${column.name} removed`,
        'readers of the table lose it, and the table refuses rows without it',
      );
    else changes.push(...columnChanges(column, now));
  }
  for (const column of after.columns) {
    if (before.columns.some(({ name }) => name === column.name)) continue;
    if (column.whenAbsent !== undefined)
      add('additive', `column ${column.name} added`, 'files without it are still taken');
    else
      add(
        'narrowing',
        `column ${column.name} added`,
        'files without it are rejected: declare "whenAbsent: missing" to take them',
      );
  }

  const [wasKey, isKey] = [before, after].map(({ columns }) => columns.find(({ primaryKey }) => primaryKey)?.name);
  if (wasKey !== isKey)
    add(
      'breaking',
      `key ${wasKey ?? 'none'} → ${isKey ?? 'none'}`,
      'rows replace one another by other columns than before',
    );
  changes.push(...formChanges(before, after), ...ruleChanges(before, after));
  const order = ['breaking', 'narrowing', 'additive'];
  return changes.sort((a, b) => order.indexOf(a.effect) - order.indexOf(b.effect));
}

function columnChanges(before: Column, after: Column): ContractChange[] {
  const changes: ContractChange[] = [];
  const at = (what: string): string => `column ${before.name}: ${what}`;
  const change = (narrower: boolean, what: string): void => {
    const why = narrower ? 'rows that were accepted may be quarantined' : 'what was accepted still is';
    changes.push({ effect: narrower ? 'narrowing' : 'additive', what: at(what), why });
  };

  const [stored, wanted] = [storedType(before), storedType(after)];
  if (stored !== wanted)
    changes.push({ effect: 'breaking', what: at(`${stored} → ${wanted}`), why: 'a table’s column keeps its type' });
  else if (before.type !== after.type) change(true, `${before.type} → ${after.type}`);
  if (before.privacy !== after.privacy) {
    const why = 'its values leave the PHI zone in another form than those in the table';
    changes.push({
      effect: 'breaking',
      what: at(`privacy ${before.privacy ?? 'guessed'} → ${after.privacy ?? 'guessed'}`),
      why,
    });
  }
  if (before.unit !== after.unit) {
    changes.push({
      effect: 'breaking',
      what: at(`unit ${before.unit ?? 'none'} → ${after.unit ?? 'none'}`),
      why: 'old and new values cannot be compared',
    });
  }
  if (before.required !== after.required)
    change(after.required, after.required ? 'now required' : 'no longer required');
  if (before.unique !== after.unique) change(after.unique, after.unique ? 'now unique' : 'no longer unique');
  if (before.whenAbsent !== after.whenAbsent) {
    change(after.whenAbsent === undefined, `whenAbsent ${before.whenAbsent ?? 'none'} → ${after.whenAbsent ?? 'none'}`);
  }
  if (before.letterCase !== after.letterCase)
    change(true, `case ${before.letterCase ?? 'kept'} → ${after.letterCase ?? 'kept'}`);
  if (before.pattern !== after.pattern) change(after.pattern !== undefined, 'pattern changed');
  if (before.multipleOf !== after.multipleOf) {
    const looser =
      after.multipleOf === undefined || (before.multipleOf !== undefined && before.multipleOf % after.multipleOf === 0);
    change(!looser, `multipleOf ${before.multipleOf ?? 'none'} → ${after.multipleOf ?? 'none'}`);
  }

  for (const [option, direction] of bounds) {
    const [was, is] = [before[option], after[option]];
    if (was === is) continue;
    // no bound is the widest one
    const narrower = is !== undefined && (was === undefined || (direction === 'low' ? is > was : is < was));
    change(narrower, `${option} ${was ?? 'none'} → ${is ?? 'none'}`);
  }
  for (const [what, was, is] of [
    ['header', before.headers, after.headers],
    ['value', before.levels, after.levels],
    ['written value', before.values && Object.keys(before.values), after.values && Object.keys(after.values)],
  ] as const) {
    if (was === undefined || is === undefined) {
      if (was !== is) change(is !== undefined, `${what}s ${is === undefined ? 'no longer' : 'now'} enumerated`);
      continue;
    }
    for (const gone of was.filter((text) => !is.includes(text))) change(true, `${what} "${gone}" removed`);
    for (const more of is.filter((text) => !was.includes(text))) change(false, `${what} "${more}" added`);
  }
  for (const [written, meant] of Object.entries(before.values ?? {})) {
    const now = after.values?.[written];
    if (now === undefined || now === meant) continue;
    changes.push({
      effect: 'breaking',
      what: at(`"${written}" means ${now} instead of ${meant}`),
      why: 'the same file makes other rows',
    });
  }
  return changes;
}

const bounds = [
  ['minimum', 'low'],
  ['exclusiveMinimum', 'low'],
  ['minLength', 'low'],
  ['maximum', 'high'],
  ['exclusiveMaximum', 'high'],
  ['maxLength', 'high'],
] as const;

function formChanges(before: Contract, after: Contract): ContractChange[] {
  const narrowing = (what: string): ContractChange => ({
    effect: 'narrowing',
    what,
    why: 'files as they came until now are rejected',
  });
  const additive = (what: string): ContractChange => ({ effect: 'additive', what, why: 'what was accepted still is' });
  const changes: ContractChange[] = [];
  const [was, is] = [before.csv, after.csv];
  if (was.delimiter !== is.delimiter) changes.push(narrowing(`delimiter "${was.delimiter}" → "${is.delimiter}"`));
  if (was.unknownColumns !== is.unknownColumns) {
    changes.push((is.unknownColumns === 'reject' ? narrowing : additive)(`unknown columns: ${is.unknownColumns}`));
  }
  if (before.format !== after.format) {
    changes.push(
      (after.format === undefined ? additive : narrowing)(
        `format ${before.format ?? 'any'} → ${after.format ?? 'any'}`,
      ),
    );
  }
  const [wasIn, isIn] = [before.encoding ?? 'utf-8', after.encoding ?? 'utf-8'];
  if (wasIn !== isIn) changes.push(narrowing(`encoding ${wasIn} → ${isIn}`));
  const [wasShare, isShare] = [before.maximumQuarantinedShare, after.maximumQuarantinedShare];
  if (wasShare !== isShare)
    changes.push((isShare < wasShare ? narrowing : additive)(`maximumQuarantinedShare ${wasShare} → ${isShare}`));
  if (JSON.stringify(before.lookBack) !== JSON.stringify(after.lookBack)) {
    const [was, is] = [reachOf(before), reachOf(after)];
    changes.push({
      effect: is < was ? 'narrowing' : 'additive',
      what: `lookBack ${sayLookBack(before)} → ${sayLookBack(after)}`,
      why: is < was ? 'rows that were accepted may be quarantined' : 'other rows count as late',
    });
  }
  return changes;
}

/** The days after which a row is no longer taken. */
const reachOf = ({ lookBack }: Contract): number => (lookBack?.beyond === 'quarantine' ? lookBack.mostDays : Infinity);
const sayLookBack = ({ lookBack }: Contract): string =>
  lookBack ? `${lookBack.onTimeDays} to ${lookBack.mostDays} days (${lookBack.beyond})` : 'none';

function ruleChanges(before: Contract, after: Contract): ContractChange[] {
  const [was, is] = [rulesOf(before), rulesOf(after)];
  const changes: ContractChange[] = [];
  const add = (narrower: boolean, what: string): void => {
    const why = narrower ? 'rows or files that were accepted may not be' : 'what was accepted still is';
    changes.push({ effect: narrower ? 'narrowing' : 'additive', what, why });
  };
  for (const [name, rule] of was) {
    const now = is.get(name);
    if (now === undefined) {
      if (rule.asks !== enumeration) add(false, `rule ${name} removed`);
      continue;
    }
    if (rule.outcome !== now.outcome) {
      add(
        outcomes.indexOf(now.outcome) > outcomes.indexOf(rule.outcome),
        `rule ${name}: ${rule.outcome} → ${now.outcome}`,
      );
    }
    if (rule.asks !== now.asks) add(now.outcome !== 'warn', `rule ${name} asks for something else`);
  }
  for (const [name, { outcome, asks }] of is) {
    if (!was.has(name) && asks !== enumeration) add(outcome !== 'warn', `rule ${name} added (${outcome})`);
  }
  return changes;
}

/** What changes in an enumeration is told with its column. */
const enumeration = 'one of the column’s levels';

function rulesOf({ rowRules, fileRules, columns }: Contract): Map<string, { outcome: Outcome; asks: string }> {
  const enumerations = new Set(columns.flatMap(({ name, levels }) => (levels ? [levelsCondition(name, levels)] : [])));
  return new Map([
    ...rowRules.map(
      ({ name, outcome, condition }) =>
        [name, { outcome, asks: enumerations.has(condition) ? enumeration : condition }] as const,
    ),
    ...fileRules.map(
      ({ name, outcome, metric, columns: over, unit, must }) =>
        [name, { outcome, asks: JSON.stringify([metric, over, unit, must]) }] as const,
    ),
  ]);
}
