import { privacyClassOf } from '../data/contract/privacy-class.ts';
import type { Json } from '../data/json.ts';
import { quoteName } from '../data/quote.ts';
import { aliasHead, liveAt } from '../governance/aliases.ts';
import {
  type Arm,
  type Experiment,
  type ExperimentPlan,
  type Verdict,
  judgeOutcomes,
  runningExperiment,
} from '../governance/experiment.ts';
import { type LedgerEntry, readLedger } from '../governance/ledger.ts';
import { declareCriteria, promote } from '../governance/promotion.ts';
import { readVersion } from '../governance/registry.ts';
import type { ShareLook } from '../ml/stats/sequential-shares.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { Vault } from '../privacy/vault.ts';
import { daysOf } from '../stages/common/duration.ts';
import { currentFeatures, featuresPath, lakeTable, mountTable, withSql } from '../stages/common/sql.ts';
import { type UseCase, useCaseOf } from '../usecase/catalogue.ts';
import { labelColumns } from '../usecase/label.ts';
import { type LoggedDecision, loggedDecisions } from './decision-log.ts';
import { actionsOf } from './online-use-case.ts';

/** There is a running experiment, no champion to compare with, or nothing to compare. */
export class ExperimentImpossible extends Error {
  override name = 'ExperimentImpossible';
}

type Said = { actor: string; reason: string };

/** Makes the version the challenger by this plan, which is in the ledger before the first claim. Throws `ExperimentImpossible`, `VersionNotFound`. */
export async function startExperiment(
  ports: Ports,
  useCase: string,
  { version, plan, actor, reason }: Said & { version: number; plan: ExperimentPlan },
): Promise<LedgerEntry> {
  const entries = await readLedger(ports.registry, useCase);
  const champion = liveAt(entries, 'champion');
  const running = runningExperiment(entries);
  if (champion === null)
    throw new ExperimentImpossible(`${useCase} has no champion that a challenger could be compared with.`);
  if (champion === version) throw new ExperimentImpossible(`Version ${version} of ${useCase} is the champion itself.`);
  if (running) {
    throw new ExperimentImpossible(
      `Version ${running.challenger} of ${useCase} is being tried already: stop that first.`,
    );
  }
  await readVersion(ports.registry, useCase, version);
  const at = { store: ports.registry, useCase, nowMs: ports.clock.nowMs() };
  const said = { alias: 'challenger', version, actor, decisionId: ports.ids.next() } as const;
  const { criteriaHash } = await declareCriteria(at, { ...said, criteria: plan });
  const expectedHead = aliasHead(entries, 'challenger');
  return promote(at, { ...said, reason, criteriaHash, evidence: { experiment: plan }, expectedHead });
}

/** Gives all traffic back to the champion; undefined where no experiment runs. However many ask, the ledger says it once. */
export async function stopExperiment(
  ports: Ports,
  useCase: string,
  { actor, reason }: Said,
): Promise<LedgerEntry | undefined> {
  const entries = await readLedger(ports.registry, useCase);
  const running = runningExperiment(entries);
  if (!running) return undefined;
  return promote(
    { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
    {
      alias: 'challenger',
      version: running.champion,
      actor,
      reason,
      decisionId: `stop-${aliasHead(entries, 'challenger')}`,
      criteriaHash: null,
      evidence: { ended: { challenger: running.challenger, startedAtMs: running.startedAtMs } } satisfies Json,
      expectedHead: aliasHead(entries, 'challenger'),
    },
  );
}

/**
 * From now on the version scores every case besides, and nothing comes of it but a record; the champion's own number ends that.
 * Throws `VersionNotFound`, `VersionTombstoned`.
 */
export async function setShadow(
  ports: Ports,
  useCase: string,
  { version, actor, reason }: Said & { version: number },
): Promise<LedgerEntry> {
  await readVersion(ports.registry, useCase, version);
  const expectedHead = aliasHead(await readLedger(ports.registry, useCase), 'shadow');
  return promote(
    { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
    {
      alias: 'shadow',
      version,
      actor,
      reason,
      decisionId: ports.ids.next(),
      criteriaHash: null,
      evidence: null,
      expectedHead,
    },
  );
}

/** What one arm decided, and what became of it. */
export type ArmOutcomes = { decisions: number; positive: number; reviewed: number; right: number; wrong: number };

export type ExperimentStatus = { experiment: Experiment; arms: { [arm in Arm]: ArmOutcomes }; verdict: Verdict };

/**
 * How the running experiment stands: the first decision of each key, and the truth of those that are as old as the label's
 * maturity. Each day of decisions is one look of the sequential test. Null where none runs.
 */
export async function experimentStatus(ports: Ports, useCaseId: string): Promise<ExperimentStatus | null> {
  const useCase = useCaseOf(ports.catalogue, useCaseId);
  const experiment = runningExperiment(await readLedger(ports.registry, useCaseId));
  if (!experiment) return null;
  const decisions = await decisionsOf(ports, useCaseId, experiment);
  const maturedMs = ports.clock.nowMs() - daysOf(useCase.declaration.label.maturity) * 86_400_000;
  const truths = await truthsOf(ports, useCase, decisions);
  return { experiment, ...outcomesOf(useCase, experiment, decisions, { truths, maturedMs }) };
}

/** Pure: the counts of both arms, and the verdict on what is matured. */
export function outcomesOf(
  useCase: Pick<UseCase, 'declaration'>,
  { plan, champion }: Experiment,
  decisions: readonly LoggedDecision[],
  { truths, maturedMs }: { truths: ReadonlyMap<string, boolean>; maturedMs: number },
): { arms: ExperimentStatus['arms']; verdict: Verdict } {
  const { positive, negative } = actionsOf(useCase.declaration);
  const none: ArmOutcomes = { decisions: 0, positive: 0, reviewed: 0, right: 0, wrong: 0 };
  const arms = { control: { ...none }, challenger: { ...none } };
  const looks = new Map<number, { [arm in Arm]: { successes: number; trials: number } }>();
  for (const { key, version, action, atMs } of decisions) {
    const arm = version === champion ? 'control' : 'challenger';
    arms[arm].decisions += 1;
    if (action === positive) arms[arm].positive += 1;
    else if (action !== negative) arms[arm].reviewed += 1;
    const truth = truths.get(key);
    if (truth === undefined || atMs > maturedMs || (action !== positive && action !== negative)) continue;
    const isRight = truth === (action === positive);
    arms[arm][isRight ? 'right' : 'wrong'] += 1;
    const day = Math.floor(atMs / 86_400_000);
    const look = looks.get(day) ?? { control: { successes: 0, trials: 0 }, challenger: { successes: 0, trials: 0 } };
    look[arm].trials += 1;
    look[arm].successes += Number(isRight);
    looks.set(day, look);
  }
  const inOrder = [...looks].sort(([day], [other]) => day - other);
  const shares: ShareLook[] = inOrder.map(([, { control, challenger }]) => ({
    reference: control,
    current: challenger,
  }));
  return { arms, verdict: judgeOutcomes(plan, shares) };
}

/** The first decision of each key since the experiment began, by one of its two versions. */
async function decisionsOf(
  ports: Ports,
  useCase: string,
  { startedAtMs, champion, challenger }: Experiment,
): Promise<LoggedDecision[]> {
  const first = new Map<string, LoggedDecision>();
  for await (const decision of loggedDecisions(ports.bronze, useCase)) {
    const isOurs = decision.version === champion || decision.version === challenger;
    if (!isOurs || decision.atMs < startedAtMs) continue;
    const earlier = first.get(decision.key);
    if (!earlier || decision.atMs < earlier.atMs) first.set(decision.key, decision);
  }
  return [...first.values()];
}

/** What became of them, by the labels of the feature table, where entities have their surrogates. */
async function truthsOf(
  ports: Ports,
  useCase: UseCase,
  decisions: readonly LoggedDecision[],
): Promise<Map<string, boolean>> {
  const { id, entity } = useCase.declaration;
  const keys = decisions.map(({ key }) => key);
  const surrogates = isIdentifier(useCase)
    ? await new Vault({ ...ports, store: ports.bronze }, { useCase: id, domain: entity.key }).surrogatesOf(keys)
    : new Map(keys.map((key) => [key, key]));
  const [label] = labelColumns(useCase.declaration);
  const labels = await withSql(ports, async (sql) => {
    const features = lakeTable(ports, ports.gold, featuresPath(id), sql);
    if (!(await mountTable(features, sql, 'features'))) return [];
    return sql.rows(
      `SELECT ${quoteName(entity.key)} AS key, ${quoteName(label)} AS truth
        FROM (${currentFeatures(useCase.declaration)}) WHERE ${quoteName(label)} IS NOT NULL`,
    );
  });
  const truthOf = new Map(labels.map(({ key, truth }) => [key as string, Number(truth) === 1]));
  return new Map(
    keys.flatMap((key) => {
      const truth = truthOf.get(surrogates.get(key) ?? '');
      return truth === undefined ? [] : [[key, truth] as const];
    }),
  );
}

function isIdentifier({ declaration, contracts }: UseCase): boolean {
  const column = Object.values(contracts)
    .flatMap(({ contract }) => contract.columns)
    .find(({ name }) => name === declaration.entity.key);
  return column !== undefined && privacyClassOf(column) === 'identifier';
}
