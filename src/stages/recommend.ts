import type { Table } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { appendQuery } from '../lake/write.ts';
import { random } from '../ml/random.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { Contacts } from '../recommend/contacts.ts';
import { contactsQuery } from '../recommend/contacts.ts';
import { policyCounts } from '../recommend/funnel.ts';
import { type PolicyOutcome, applyPolicy, recommended } from '../recommend/policy.ts';
import { pairTable, policyColumns, policySelection, recommendationsQuery, removalsQuery } from '../recommend/tables.ts';
import { writeTexts } from '../recommend/text/write.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { outputColumn } from '../usecase/check.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { labelColumns } from '../usecase/label.ts';
import { offerScores } from '../report/summaries/offer-scores.ts';
import { writeExports } from './common/exports.ts';
import { recordFacts } from './common/facts.ts';
import { columnsOf, interleaved } from './common/frozen-sets.ts';
import { type Learnt, columnsRead } from './common/learning.ts';
import { type Pairs, explainPairs } from './common/pair-factors.ts';
import { factsOf, insertReasons } from './common/pair-reasons.ts';
import {
  currentFeatures,
  featuresPath,
  lakeTable,
  mountTable,
  predictionsPath,
  recommendationsPath,
  removalsPath,
  withSql,
} from './common/sql.ts';
import { loadVersion } from './common/version.ts';
import type { Stage } from './stage.ts';

/**
 * Turns the scores of a run into what is sent to whom, by the declared contact policy: each member's latest row, every offer of
 * it either recommended, with its reasons and a text, or removed by one rule, which stands beside it. What earlier runs sent counts
 * as contact. Nothing is said to the members of the holdout.
 */
export const recommend: Stage<'Recommend'> = async ({ useCase, runId, pin, predictionsVersion }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const policy = declaration.recommend;
  if (!policy) throw new Error(`The use case ${useCase} declares no "recommend"; its machine should not come here.`);
  const version = await loadVersion(ports, useCase, pin.version);
  return withSql(ports, async (sql) => {
    const table = lakeTable(ports, ports.gold, recommendationsPath(useCase), sql);
    const removed = lakeTable(ports, ports.gold, removalsPath(useCase), sql);
    const asOfMs = ports.clock.nowMs();
    const known = await mountTable(table, sql, 'sent_before');
    const { members, outcome, sent, factors, facts } = await decided(sql, ports, declaration, version.learnt, {
      runId,
      pin,
      predictionsVersion,
      asOfMs,
      known,
    });
    ports.giveBackMemory?.();
    const { texts, requests, spentUsd } = await writeTexts(facts.distinct, policy, {
      ...(policy.text.model && ports.texts && { generator: ports.texts(policy.text.model.id) }),
      clock: ports.clock,
      random: random(runId),
    });
    await sql.insert('pairs', pairTable(outcome));
    await insertReasons(sql, policy, { sent, factors, texts, textOf: facts.of });
    const query = { pairs: 'pairs', members: 'members', key: declaration.entity.key, runId };
    const identity = `${quoteText(runId)} AS run_id, ${pin.version}::INTEGER AS model_version,
      make_timestamptz(${Math.floor(asOfMs)} * 1000) AS recommended_at`;
    const txn = { appId: `recommend:${runId}:v${pin.version}`, version: 1 };
    const details = { runId, modelVersion: String(pin.version), codeVersion: ports.codeVersion };
    // why a pair was removed first: a crash between the two is finished by the same run
    await appendQuery(removed, sql, `SELECT *, ${identity} FROM (${removalsQuery(policy, query)})`, { txn, details });
    await sql.run(
      `CREATE TEMP TABLE recommended AS SELECT r.*, ${identity}, t.factors, w.reason, w.reason_source, w.reason_refused, m._row
        FROM (${recommendationsQuery(policy, query)}) r
        JOIN members m USING (${quoteName(declaration.entity.key)})
        LEFT JOIN reasons t ON t._row = m._row AND t.offer_id = r.offer_id
        LEFT JOIN texts w USING (_text)`,
    );
    await sql.run('DROP TABLE pairs; DROP TABLE reasons; DROP TABLE texts');
    const { version: recommendationsVersion } = await appendQuery(
      table,
      sql,
      'SELECT * EXCLUDE (_row) FROM recommended',
      { txn, details },
    );
    await writeExports(sql, ports, policy, { useCase, runId, key: declaration.entity.key, members });

    const counts = policyCounts(policy, outcome);
    const fromModel = facts.of.reduce((count, text) => count + (texts[text].source === 'model' ? 1 : 0), 0);
    await recordFacts(ports, { useCase, runId }, 'Recommend', {
      recommendations: {
        ...counts,
        texts: { written: facts.of.length, fromModel, requests, spentUsd },
        scores: offerScores(
          policy.offers.map(({ name }) => name),
          outcome.score,
          policy.minimumScore,
        ),
        minimumScore: policy.minimumScore,
      },
    });
    ports.telemetry.measure('RecommendationsSent', facts.of.length, useCase);
    return { useCase, runId, sent: facts.of.length, members, recommendationsVersion };
  });
};

type Run = { runId: string; pin: { version: number; dataVersion: number }; predictionsVersion: number };

/** What is sent to whom and why. What it is decided by takes most of the memory, and is given up with the end of this function. */
async function decided(
  sql: SqlEngine,
  ports: Ports,
  declaration: Declaration,
  learnt: Learnt,
  { asOfMs, known, ...run }: Run & { asOfMs: number; known: { version: number } | undefined },
) {
  const policy = declaration.recommend!;
  const members = await membersOf(sql, ports, declaration, run, columnsRead(learnt));
  const columns = columnsOf(members);
  const outcome = applyPolicy(policy, {
    keys: Array.from(columns[declaration.entity.key], String),
    scores: interleaved(labelColumns(declaration).map(outputColumn), columns),
    ...policyColumns(policy, members),
    contacts: await contactsBefore(sql, declaration, { runId: run.runId, asOfMs, known }),
    asOfMs,
  });
  const sent = sentPairs(outcome);
  const factors = explainPairs(learnt, columns, sent, ports);
  return { members: members.numRows, outcome, sent, factors, facts: factsOf(policy, columns, sent, factors) };
}

/**
 * Each member's latest scored row, in a fixed order: the key, the features named, the scores and what the policy asks. Leaves the
 * temporary table `members` with the key, `_row` counted from 1, and which row of the features it is.
 */
async function membersOf(
  sql: SqlEngine,
  ports: Ports,
  declaration: Declaration,
  { runId, pin, predictionsVersion }: Run,
  features: readonly string[],
): Promise<Table> {
  const { id, entity } = declaration;
  const [key, eventTime] = [quoteName(entity.key), quoteName(entity.eventTime)];
  const predictions = lakeTable(ports, ports.gold, predictionsPath(id), sql);
  await mountTable(predictions, sql, 'predictions', predictionsVersion);
  await mountTable(lakeTable(ports, ports.gold, featuresPath(id), sql), sql, 'features', pin.dataVersion);
  const scores = labelColumns(declaration).map((name) => quoteName(outputColumn(name)));
  const asked = policySelection(declaration.recommend!);
  const needed = [key, ...features.map(quoteName)].map((column) => `f.${column}`);
  // which rows they are is found out among a few columns: sorting takes room for all that goes through it
  await sql.run(
    `CREATE TEMP TABLE members AS
      WITH latest AS (
        SELECT ${key}, ${eventTime}, _batch, _built_at, ${scores.join(', ')}
        FROM predictions p JOIN (SELECT ${key}, ${eventTime}, _batch, _built_at FROM (${currentFeatures(declaration)}))
          USING (${key}, ${eventTime}, _batch)
        WHERE p.run_id = ${quoteText(runId)} AND p.model_version = ${pin.version}
        QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${eventTime} DESC) = 1
      )
      SELECT *, (row_number() OVER (ORDER BY ${key}))::INTEGER AS _row FROM latest`,
  );
  return sql.query(
    `SELECT ${[...needed, ...scores.map((score) => `m.${score}`), ...asked].join(', ')}
      FROM features f JOIN members m USING (${key}, ${eventTime}, _batch, _built_at) ORDER BY _row`,
  );
}

/** What earlier runs have sent to these members, and would have to those of the holdout: they rest alike, and stay comparable. */
async function contactsBefore(
  sql: SqlEngine,
  declaration: Declaration,
  { runId, asOfMs, known }: { runId: string; asOfMs: number; known: { version: number } | undefined },
): Promise<Contacts> {
  if (!known) return { rows: [], offers: [], channels: [], atMs: [] };
  const key = declaration.entity.key;
  await sql.run(
    `CREATE TEMP VIEW contacts AS SELECT ${quoteName(key)}, offer_id, channel, recommended_at AS contacted_at
      FROM sent_before WHERE run_id <> ${quoteText(runId)}`,
  );
  const found = await sql.query(
    contactsQuery(declaration.recommend!, { contacts: 'contacts', members: 'members', key, asOfMs }),
  );
  const column = (name: string) =>
    Float64Array.from(found.getChild(name)!.toArray() as ArrayLike<number | bigint>, Number);
  return { rows: column('row'), offers: column('offer'), channels: column('channel'), atMs: column('at_ms') };
}

/** The pairs that are sent, row by row. */
function sentPairs({ rows, offers, rule }: PolicyOutcome): Pairs {
  const pairs = rule.reduce((count, ended) => count + (ended === recommended ? 1 : 0), 0);
  const sent: Pairs = { rows: new Int32Array(pairs), outputs: new Int32Array(pairs) };
  for (let row = 0, at = 0; row < rows; row++) {
    for (let output = 0; output < offers; output++) {
      if (rule[row * offers + output] !== recommended) continue;
      sent.rows[at] = row;
      sent.outputs[at++] = output;
    }
  }
  return sent;
}
