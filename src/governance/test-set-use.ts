import type { Json } from '../data/json.ts';
import type { LedgerEntry } from './ledger.ts';

/** The frozen test set that a decision rests on. */
export type TestSetUse = {
  /** SHA-256 of its file: other rows are another set, also where a month was added to them. */
  digest: string;
  rows: number;
  /** How many decisions rest on it, this one included; each looks at the set once. */
  uses: number;
};

/**
 * Counts the decisions of the log that rest on the same test set. One is what a test set is made for: with every further one
 * the best of several is chosen by its luck on the same rows, and looks better on them than it is (Cawley and Talbot, "On
 * over-fitting in model selection", 2010). `decisionId` is the decision that is being taken, about `version`: that the same
 * version went into shadow before was the first half of it, and no choice between several.
 */
export function testSetUse(
  entries: readonly LedgerEntry[],
  { testDigest, testRows }: { testDigest: string; testRows: number },
  { decisionId, version }: { decisionId: string; version: number },
): TestSetUse {
  const firstHalves = entries.filter((entry) => entry.alias === 'shadow' && entry.version === version);
  const own = new Set([decisionId, ...firstHalves.map((entry) => entry.decisionId)]);
  const others = entries.filter((entry) => !own.has(entry.decisionId) && digestsIn(entry).includes(testDigest));
  const decisions = new Set(others.map((entry) => entry.decisionId));
  return { digest: testDigest, rows: testRows, uses: decisions.size + 1 };
}

/** What a reader of the decision should know of its test set; empty where it was not used before. */
export function reuseRemark({ rows, uses }: TestSetUse): string {
  if (uses === 1) return '';
  const before = uses === 2 ? 'once' : `${uses - 1} times`;
  return ` Its ${rows} test rows have decided ${before} before: judged again, the better of several looks better than it is.`;
}

/** The test set that a decision in the log rests on; null for other entries, and for decisions that recorded none. */
export function testSetOf({ evidence }: LedgerEntry): TestSetUse | null {
  return isObject(evidence) && isObject(evidence['testSet']) ? (evidence['testSet'] as TestSetUse) : null;
}

/** The test sets that an entry names: as a decision, or in the criteria that were fixed for one. */
function digestsIn(entry: LedgerEntry): Json[] {
  const { evidence } = entry;
  const criteria = isObject(evidence) ? evidence['testDigest'] : undefined;
  return [testSetOf(entry)?.digest, criteria].filter((digest) => digest !== undefined);
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
