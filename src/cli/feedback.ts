import { userInfo } from 'node:os';
import type { Json } from '../data/json.ts';
import { quoteName, quoteText } from '../data/quote.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { csvText } from '../recommend/csv-text.ts';
import { type Feedback, type Vote, feedbackFindings } from '../recommend/feedback.ts';
import { factsOf } from '../stages/common/facts.ts';
import { readVotes } from '../stages/common/feedback.ts';
import { lakeTable, mountTable, recommendationsPath, withSql } from '../stages/common/sql.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import type { Recommend } from '../usecase/recommend.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { compactTime, localPorts, withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

const words = { approve: 'approved', reject: 'rejected', comment: 'comment' } as const;

export const command: Command = {
  summary: 'Says what a reviewer thinks of a recommendation; enough votes change what the next training learns.',
  usage: 'USE_CASE [ENTITY OFFER approve|reject|comment] [--list]',
  examples: [
    [
      'bordereau feedback offer-prioritization MBR_0a1b2c3d FIT_001 approve',
      'a vote, dropped as a file like any other',
    ],
    [
      'bordereau feedback offer-prioritization MBR_0a1b2c3d FIT_001 comment --text "asked twice"',
      'a comment; its text stays in the PHI zone',
    ],
    ['bordereau feedback offer-prioritization --list', 'the votes that count now'],
  ],
  options: {
    text: { type: 'string', value: 'TEXT', help: 'what the reviewer wrote' },
    reviewer: { type: 'string', value: 'CODE', help: 'who says it; the user of this machine unless told' },
    list: { type: 'boolean', default: false, help: 'the votes that count now' },
  },
  positionals: { min: 1, max: 4 },
  async run(call) {
    const [useCase, ...said] = call.positionals;
    if (call.flag('list')) {
      if (said.length > 0)
        throw new UsageError('--list takes the use case alone.', `bordereau feedback ${useCase} --list`);
      return list(call, useCase);
    }
    if (said.length !== 3) {
      throw new UsageError(
        'A vote needs an entity, an offer, and approve, reject or comment.',
        `bordereau feedback ${useCase} ENTITY OFFER approve`,
      );
    }
    return give(call, useCase, said);
  },
};

/** The part `recommend` of a use case whose recommendations are reviewed, and the source of the reviews. */
function reviewedPart(ports: Ports, useCase: string): { declaration: Declaration; policy: Recommend; source: string } {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const policy = declaration.recommend;
  const source = policy?.feedback.source;
  if (!policy || source === undefined) {
    throw new UsageError(`${useCase} declares no source of feedback (recommend.feedback.source): nobody reviews it.`);
  }
  return { declaration, policy, source };
}

async function list(call: Call, useCase: string): Promise<ExitCode> {
  const ports = await localPorts(call);
  const { declaration, policy } = reviewedPart(ports, useCase);
  const votes = await votesNow(ports, declaration);
  call.output.table(
    [declaration.entity.key, 'offer', 'verdict', 'reviewer', 'given'],
    votes.map(({ entityKey, offerId, verdict, reviewer, atMs }) => [
      entityKey,
      offerId,
      verdict,
      reviewer,
      new Date(atMs).toISOString(),
    ]),
  );
  call.output.note(standing(votes.length, policy));
  call.output.document({ votes: votes as unknown as Json, needed: policy.feedback.minimumRecords });
  return exitCodes.ok;
}

const votesNow = (ports: Ports, declaration: Declaration): Promise<Vote[]> =>
  withSql(ports, (sql) => readVotes(sql, ports, declaration));

function standing(votes: number, { feedback }: Recommend): string {
  const { minimumRecords } = feedback;
  const counted = `${votes} vote${votes === 1 ? ' counts' : 's count'}`;
  return votes >= minimumRecords
    ? `${counted}: the next training learns from them.`
    : `${counted}; from ${minimumRecords} on the next training learns from them.`;
}

/** Drops the vote as a file of one record, so that contract, vault and lake treat it like every other. */
async function give(call: Call, useCase: string, [entityKey, offerId, verdict]: string[]): Promise<ExitCode> {
  if (!Object.hasOwn(words, verdict)) {
    throw new UsageError(
      `A verdict is ${Object.keys(words).join(', ')}, not "${verdict}".`,
      `bordereau feedback ${useCase} ${entityKey} ${offerId} approve`,
    );
  }
  const word = verdict as keyof typeof words;
  return withRuntime(call, async (runtime) => {
    const { ports } = runtime;
    const { declaration, policy, source } = reviewedPart(ports, useCase);
    const atMs = ports.clock.nowMs();
    const recommendationId = await recommendationOf(ports, declaration, { entityKey, offerId });
    const feedback: Feedback = {
      entityKey,
      offerId,
      verdict: words[word],
      reviewer: call.text('reviewer') ?? userInfo().username,
      atMs,
      ...(recommendationId !== undefined && { recommendationId }),
    };
    const findings = feedbackFindings(policy, feedback, atMs);
    if (findings.length > 0) throw new UsageError(`The feedback is not taken: ${findings.join('; ')}.`);

    const cells = {
      [declaration.entity.key]: entityKey,
      offer_id: offerId,
      verdict: feedback.verdict,
      reviewer: feedback.reviewer,
      recommendation_id: recommendationId,
      comment_text: call.text('text'),
      given_at: new Date(atMs).toISOString(),
    };
    const bytes = new TextEncoder().encode(csvText(Object.keys(cells), [Object.values(cells)], 'machines'));
    const fileName = `feedback_${compactTime(ports.clock)}_${ports.ids.next().slice(0, 8)}.csv`;
    const { runId } = await runtime.drop({ useCase, source, fileName, bytes });
    const ended = await runtime.deliver();
    const quality = (await factsOf(ports, { useCase, runId }, 'Validate'))?.quality;
    const isTaken = (quality?.acceptedRows ?? 0) > 0;
    const votes = (await votesNow(ports, declaration)).length;
    call.output.print(
      isTaken
        ? `${feedback.verdict} is stored${recommendationId === undefined ? ': about the offer as such, which no run has recommended to them' : ''}. ${standing(votes, policy)}`
        : `It was not stored: the contract of ${source} refuses it.`,
    );
    const { exitCode, document } = followUp(call, ended);
    call.output.document({ runId, taken: isTaken, recommendationId: recommendationId ?? null, votes, ...document });
    return isTaken ? exitCode : exitCodes.dataGateFailed;
  });
}

/** The newest recommendation of the offer to the entity; it may never have been recommended. */
async function recommendationOf(
  ports: Ports,
  { id, entity }: Declaration,
  { entityKey, offerId }: Pick<Feedback, 'entityKey' | 'offerId'>,
): Promise<string | undefined> {
  return withSql(ports, async (sql) => {
    const table = lakeTable(ports, ports.gold, recommendationsPath(id), sql);
    if (!(await mountTable(table, sql, 'recommendations'))) return undefined;
    const [newest] = await sql.rows(
      `SELECT recommendation_id FROM recommendations
        WHERE ${quoteName(entity.key)}::VARCHAR = ${quoteText(entityKey)} AND offer_id = ${quoteText(offerId)}
        ORDER BY recommended_at DESC LIMIT 1`,
    );
    return newest?.['recommendation_id'] as string | undefined;
  });
}
