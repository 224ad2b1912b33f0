import type { Profile } from '../../data/quality/profile.ts';
import type { RuleOutcome } from '../../data/quality/validate.ts';
import type { Bin, ColumnProfile, DataQuality, RuleFired } from '../../report/facts.ts';

/** The rules that something broke, worst first. */
export function ruleFacts(rules: readonly RuleOutcome[]): RuleFired[] {
  return rules
    .filter(({ rows, broken }) => broken || rows > 0)
    .sort((a, b) => b.rows - a.rows)
    .map(({ name, column, outcome, rows, description }) => ({
      name,
      ...(column !== undefined && { column }),
      outcome,
      rows,
      description,
    }));
}

export function columnFacts(profile: Profile): ColumnProfile[] {
  return profile.columns.map(({ name, type, unit, missingShare, distinct, numbers, bins, levels }) => ({
    name,
    type,
    ...(unit !== undefined && { unit }),
    nullShare: missingShare,
    distinct,
    ...(numbers && { p5: numbers.p5, median: numbers.median, p95: numbers.p95 }),
    ...(bins && { bins: bins.map(binFact) }),
    ...(levels && { bins: levels.map(({ level, rows }) => ({ label: level, rows })) }),
  }));
}

function binFact({ from, to, rows }: { from?: number; to?: number; rows: number }): Bin {
  const label = from === undefined ? `below ${to}` : to === undefined ? `${from} and above` : `${from} – ${to}`;
  return { label, ...(from !== undefined && { from }), ...(to !== undefined && { to }), rows };
}

/** The quality of several drops together. Profiles are of one drop each, so only a single drop keeps its own. */
export function combineQuality(parts: readonly DataQuality[]): DataQuality | undefined {
  if (parts.length <= 1) return parts[0];
  const sum = (of: (part: DataQuality) => number) => parts.reduce((total, part) => total + of(part), 0);
  const rules = new Map<string, RuleFired>();
  for (const rule of parts.flatMap((part) => part.rules)) {
    const key = `${rule.name}/${rule.column ?? ''}`;
    rules.set(key, { ...rule, rows: rule.rows + (rules.get(key)?.rows ?? 0) });
  }
  return {
    droppedRows: sum((part) => part.droppedRows),
    acceptedRows: sum((part) => part.acceptedRows),
    quarantinedRows: sum((part) => part.quarantinedRows),
    rejectedRows: sum((part) => part.rejectedRows),
    sources: parts.flatMap((part) => part.sources),
    rules: [...rules.values()],
  };
}
