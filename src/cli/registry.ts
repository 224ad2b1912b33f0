import { userInfo } from 'node:os';
import { aliasHistory, liveAt, shadowOf, tombstoned } from '../governance/aliases.ts';
import { type LedgerEntry, readLedger } from '../governance/ledger.ts';
import type { GateResult } from '../governance/gate.ts';
import { declareCriteria, promote, refuse, rollBack } from '../governance/promotion.ts';
import { listVersions } from '../governance/registry.ts';
import { type TestSetUse, testSetOf } from '../governance/test-set-use.ts';
import type { Json } from '../data/json.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { judge } from '../stages/common/judge.ts';
import { mirrorChampion } from '../stages/common/mirror.ts';
import { observeShadow } from '../stages/common/shadow.ts';
import { withSql } from '../stages/common/sql.ts';
import { loadEvaluation } from '../stages/common/version.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type Call, type Command, UsageError, exitCodes } from './command.ts';
import { GateClosed } from './failure.ts';
import { localPorts, useCaseOption } from './open.ts';

const verbs = ['list', 'history', 'promote', 'rollback', 'live-at'] as const;
type Verb = (typeof verbs)[number];

export const command: Command = {
  summary: 'Shows the model versions and what was champion when; promotes by hand, rolls back.',
  usage: 'list | history | live-at TIME | promote VERSION --reason TEXT | rollback --reason TEXT',
  examples: [
    ['bordereau registry list', 'every version with its metrics; the champion is marked'],
    ['bordereau registry live-at 2026-02-01', 'which version was champion at that time'],
    [
      'bordereau registry rollback --reason "complaints from the North-East"',
      'the previous champion again; appended to the log',
    ],
  ],
  options: {
    'use-case': useCaseOption,
    reason: { type: 'string', value: 'TEXT', help: 'why; it stands in the log for ever' },
    'dry-run': { type: 'boolean', default: false, help: 'say what would happen, append nothing' },
  },
  positionals: { min: 1, max: 2 },
  async run(call) {
    const [verb, argument] = call.positionals;
    if (!verbs.includes(verb as Verb)) {
      throw new UsageError(`"registry" knows ${verbs.join(', ')}, not "${verb}".`, 'bordereau registry --help');
    }
    const ports = await localPorts(call);
    const useCase = call.text('use-case')!;
    await handlers[verb as Verb]({
      call,
      ports,
      useCase,
      argument,
      entries: await readLedger(ports.registry, useCase),
    });
    return exitCodes.ok;
  },
};

type Request = { call: Call; ports: Ports; useCase: string; argument: string | undefined; entries: LedgerEntry[] };

const handlers: { [name in Verb]: (request: Request) => Promise<void> } = {
  async list({ call: { output }, ports, useCase, entries }) {
    const champion = liveAt(entries, 'champion');
    const dead = tombstoned(entries);
    const shadow = shadowOf(entries);
    const statusOf = (version: number) => {
      if (version === champion) return 'champion';
      if (version === shadow) return 'shadow';
      return dead.has(version) ? 'tombstoned' : '';
    };
    const versions = await Promise.all(
      (await listVersions(ports.registry, useCase)).map(async (manifest) => ({
        manifest,
        evaluation: await loadEvaluation(ports, manifest),
        status: statusOf(manifest.version),
      })),
    );
    output.table(
      ['version', 'status', 'algorithm', 'created', 'train rows', 'R²', 'MAE', 'digest'],
      versions.map(({ manifest: { version, lineage, createdAtMs, digest }, evaluation: { metrics }, status }) => [
        String(version),
        status,
        lineage.algorithm,
        iso(createdAtMs),
        lineage.trainRows.toLocaleString('en-US'),
        metrics.r2?.value.toFixed(3) ?? '–',
        metrics.mae?.value.toFixed(0) ?? '–',
        digest.slice(0, 12),
      ]),
    );
    output.document({
      useCase,
      champion,
      versions: versions.map(({ manifest, evaluation, status }) => ({
        version: manifest.version,
        status,
        createdAt: iso(manifest.createdAtMs),
        digest: manifest.digest,
        lineage: manifest.lineage,
        metrics: evaluation.metrics,
      })) as unknown as Json,
    });
  },

  async history({ call: { output }, useCase, entries }) {
    output.table(
      ['entry', 'time', 'kind', 'alias', 'version', 'replaces', 'by', 'test set', 'reason'],
      entries.map((entry) => [
        String(entry.sequence),
        iso(entry.atMs),
        entry.kind,
        entry.alias ?? '',
        String(entry.version),
        entry.replaces === null ? '–' : String(entry.replaces),
        entry.actor,
        testSetText(testSetOf(entry)),
        shorten(entry.reason, 90),
      ]),
    );
    output.document({ useCase, entries: entries as unknown as Json });
  },

  async 'live-at'({ call: { output }, useCase, argument, entries }) {
    const atMs = timeOf(argument);
    const version = liveAt(entries, 'champion', atMs);
    const entry = aliasHistory(entries, 'champion').findLast((other) => other.atMs <= atMs);
    output.print(
      entry
        ? `At ${iso(atMs)} version ${version} of ${useCase} was champion, since ${iso(entry.atMs)} (entry ${entry.sequence}).`
        : `At ${iso(atMs)} ${useCase} had no champion.`,
    );
    output.document({ useCase, at: iso(atMs), version, entry: (entry ?? null) as unknown as Json });
  },

  async promote({ call, ports, useCase, argument, entries }) {
    const version = Number(argument);
    if (!Number.isInteger(version) || version < 1) {
      throw new UsageError('"registry promote" takes the number of a version.', 'bordereau registry list');
    }
    const reason = reasonOf(call);
    if (liveAt(entries, 'champion') === version) {
      throw new UsageError(`Version ${version} of ${useCase} is champion already.`, 'bordereau registry history');
    }
    const dryRun = call.flag('dry-run');
    const at = { store: ports.registry, useCase, nowMs: ports.clock.nowMs() };
    const said = { ...by(ports, reason), version };
    const { declaration } = useCaseOf(ports.catalogue, useCase);
    const judgement = await judge(ports, declaration, version, {
      entries,
      shadow: declaration.shadow ? await seenInShadow(ports, declaration, version, entries) : null,
      decisionId: said.decisionId,
      declare: async (criteria) => (dryRun ? null : (await declareCriteria(at, { ...said, criteria })).criteriaHash),
    });

    const { gates, comparison, testSet, criteriaHash, expectedHead } = judgement;
    const decision = { ...said, criteriaHash, evidence: { gates, comparison, testSet } };
    if (!judgement.promote) {
      // a version that has not been seen enough is not refused: it waits
      const waits = gates.every(({ name, passed }) => passed || name === 'shadowSeen');
      if (!dryRun && !waits)
        await refuse(at, { ...decision, reason: `Asked for: ${reason} Refused: ${judgement.reason}` });
      call.output.document({ useCase, version, promoted: false, gates });
      throw refusal(useCase, version, gates);
    }
    if (dryRun) {
      call.output.print(
        `All ${gates.length} gates pass. Would make version ${version} champion of ${useCase} in place of ${liveAt(entries, 'champion') ?? 'none'}.`,
      );
      call.output.document({ useCase, version, promoted: false, gates });
      return;
    }
    const entry = await promote(at, { ...decision, expectedHead });
    await mirrorChampion(ports, useCase);
    told(call, useCase, entry);
  },

  async rollback({ call, ports, useCase, entries }) {
    const from = liveAt(entries, 'champion');
    const reason = reasonOf(call);
    if (from === null) throw new UsageError(`${useCase} has no champion to roll back from.`, 'bordereau registry list');
    if (call.flag('dry-run')) {
      call.output.print(`Would leave version ${from} of ${useCase} for the champion before it.`);
      return;
    }
    const entry = await rollBack(
      { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
      { ...by(ports, reason), from },
    );
    await mirrorChampion(ports, useCase);
    told(call, useCase, entry);
  },
};

/** Which test set a decision rests on, and the how-manieth decision on it that is. */
const testSetText = (use: TestSetUse | null): string => (use ? `${use.digest.slice(0, 8)}, use ${use.uses}` : '–');

function told({ output }: Call, useCase: string, entry: LedgerEntry): void {
  output.print(
    `Version ${entry.version} is champion of ${useCase}; it replaces ${entry.replaces ?? 'none'} (entry ${entry.sequence}).`,
  );
  output.document(entry);
}

/** By hand or by machine: what a machine would refuse is refused. */
function refusal(useCase: string, version: number, gates: readonly GateResult[]): GateClosed {
  const failed = gates.filter(({ passed }) => !passed);
  return new GateClosed(
    exitCodes.modelGateRefused,
    `Version ${version} of ${useCase} is not made champion: ${failed.length} of ${gates.length} gates failed.` +
      failed.map(({ name, evidence }) => `\n  ${name}: ${evidence.requirement}. ${evidence.text}`).join(''),
    'bordereau registry list',
  );
}

/** As of now; a machine judges by what was written down when enough was seen. */
const seenInShadow = (ports: Ports, declaration: Declaration, version: number, entries: readonly LedgerEntry[]) =>
  withSql(ports, (sql) => observeShadow(sql, ports, declaration, { version, champion: liveAt(entries, 'champion') }));

const by = (ports: Ports, reason: string) =>
  ({ alias: 'champion', actor: userInfo().username, reason, decisionId: ports.ids.next() }) as const;

function reasonOf(call: Call): string {
  const reason = call.text('reason')?.trim();
  if (!reason) throw new UsageError('A decision by hand needs --reason "…": it stands in the log for ever.');
  return reason;
}

function timeOf(text: string | undefined): number {
  const grammar = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;
  const ms = text && grammar.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) {
    throw new UsageError(
      '"live-at" takes a date or a time with its zone.',
      'bordereau registry live-at 2026-02-01T12:00Z',
    );
  }
  return ms;
}

const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19) + 'Z';
const shorten = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
