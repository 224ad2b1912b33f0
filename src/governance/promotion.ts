import type { Json } from '../data/json.ts';
import { aliasHead, liveAt, rollbackTarget, shadowOf, tombstoned } from './aliases.ts';
import { canonicalJson, sha256 } from './digest.ts';
import { type Alias, appendToLedger, type LedgerAt, type LedgerEntry } from './ledger.ts';

/** Thrown when the alias has moved since the decision was taken: judge again against the version that is live now. */
export class ChampionChanged extends Error {
  override name = 'ChampionChanged';
}

/** Thrown when a tombstoned version would become live. */
export class VersionTombstoned extends Error {
  override name = 'VersionTombstoned';
}

/** Thrown when a live version would be tombstoned, which would leave its alias without a version. */
export class VersionIsLive extends Error {
  override name = 'VersionIsLive';
}

/** Thrown when there is no earlier version to roll back to. */
export class NothingToRollBackTo extends Error {
  override name = 'NothingToRollBackTo';
}

/** Thrown when a decision names criteria that were not in the ledger before it. */
export class CriteriaNotDeclared extends Error {
  override name = 'CriteriaNotDeclared';
}

/** A decision, taken while `expectedHead` was the head of the alias. */
export type Decision = {
  alias: Alias;
  version: number;
  actor: string;
  reason: string;
  decisionId: string;
  /** Of criteria declared beforehand; null for a person's decision without a comparison. */
  criteriaHash: string | null;
  evidence: Json;
};

/** Stores the criteria of a comparison before it is made; the hash returned goes into the decision. */
export async function declareCriteria(
  at: LedgerAt,
  declaration: Pick<Decision, 'alias' | 'version' | 'actor' | 'decisionId'> & { criteria: Json },
): Promise<{ entry: LedgerEntry; criteriaHash: string }> {
  const { alias, version, actor, decisionId, criteria } = declaration;
  const criteriaHash = sha256(canonicalJson(criteria));
  const entry = await appendToLedger(at, { kind: 'declare', decisionId }, () => ({
    alias,
    version,
    replaces: null,
    actor,
    reason: 'Criteria fixed before the comparison.',
    criteriaHash,
    evidence: criteria,
  }));
  if (entry.criteriaHash !== criteriaHash) {
    throw new CriteriaNotDeclared(
      `Decision ${decisionId} about version ${version} has declared other criteria (${entry.criteriaHash?.slice(0, 12)}…) ` +
        `in entry ${entry.sequence}: criteria may not change within a decision. Start a new run.`,
    );
  }
  return { entry, criteriaHash };
}

/**
 * Makes the version live under the alias, provided that the alias still stands where it stood when the decision was taken.
 * Throws `ChampionChanged`, `VersionTombstoned`, `CriteriaNotDeclared`. Delivered twice it appends once.
 */
export async function promote(at: LedgerAt, decision: Decision & { expectedHead: string }): Promise<LedgerEntry> {
  const { expectedHead, decisionId, ...said } = decision;
  const { alias, version } = said;
  return appendToLedger(at, { kind: 'promote', decisionId }, (entries) => {
    if (tombstoned(entries).has(version)) {
      throw new VersionTombstoned(
        `Version ${version} of ${at.useCase} is tombstoned and cannot become ${alias}. Train a new version.`,
      );
    }
    if (aliasHead(entries, alias) !== expectedHead) {
      throw new ChampionChanged(
        `The ${alias} of ${at.useCase} is now version ${liveAt(entries, alias)}: version ${version} was judged before that. ` +
          'Judge it again.',
      );
    }
    ensureDeclared(entries, said);
    return { ...said, replaces: liveAt(entries, alias) };
  });
}

/** Records that the version was judged and not promoted; the alias stays. Throws `CriteriaNotDeclared`. */
export async function refuse(at: LedgerAt, { decisionId, ...said }: Decision): Promise<LedgerEntry> {
  return appendToLedger(at, { kind: 'refuse', decisionId }, (entries) => {
    ensureDeclared(entries, said);
    return { ...said, replaces: null };
  });
}

/**
 * Appends the previous version as the live one. `from` is the version to be left, so that a rollback that comes too late does
 * not undo somebody else's promotion. Throws `ChampionChanged`, `NothingToRollBackTo`.
 */
export async function rollBack(
  at: LedgerAt,
  rollback: { alias: Alias; from: number; actor: string; reason: string; decisionId: string },
): Promise<LedgerEntry> {
  const { alias, from, actor, reason, decisionId } = rollback;
  return appendToLedger(at, { kind: 'rollback', decisionId }, (entries) => {
    const live = liveAt(entries, alias);
    if (live !== from) {
      throw new ChampionChanged(
        `Version ${from} of ${at.useCase} is not the ${alias}, version ${live} is: there is nothing to roll back from.`,
      );
    }
    const version = rollbackTarget(entries, alias);
    if (version === null) {
      throw new NothingToRollBackTo(
        `Version ${from} of ${at.useCase} has no earlier ${alias} that is not tombstoned. Promote another version instead.`,
      );
    }
    return { alias, version, replaces: from, actor, reason, criteriaHash: null, evidence: null };
  });
}

/** Bars the version from ever being live. Throws `VersionIsLive` where it is: roll back or promote another one first. */
export async function tombstone(
  at: LedgerAt,
  { decisionId, version, actor, reason }: { version: number; actor: string; reason: string; decisionId: string },
): Promise<LedgerEntry> {
  return appendToLedger(at, { kind: 'tombstone', decisionId }, (entries) => {
    for (const alias of ['champion', 'challenger', 'shadow'] as const) {
      if ((alias === 'shadow' ? shadowOf(entries) : liveAt(entries, alias)) !== version) continue;
      throw new VersionIsLive(
        `Version ${version} of ${at.useCase} is the ${alias}: roll back or promote another version, then tombstone it.`,
      );
    }
    return { alias: null, version, replaces: null, actor, reason, criteriaHash: null, evidence: null };
  });
}

function ensureDeclared(
  entries: readonly LedgerEntry[],
  { version, criteriaHash }: Pick<Decision, 'version' | 'criteriaHash'>,
): void {
  if (criteriaHash === null) return;
  const declared = entries.some(
    (entry) => entry.kind === 'declare' && entry.version === version && entry.criteriaHash === criteriaHash,
  );
  if (declared) return;
  throw new CriteriaNotDeclared(
    `The criteria ${criteriaHash.slice(0, 12)}… of version ${version} are not in the promotion log: ` +
      'they must be declared before the comparison is made.',
  );
}
