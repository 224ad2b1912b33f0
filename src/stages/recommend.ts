import { type Table, tableFromArrays } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { appendQuery } from '../lake/write.ts';
import { random } from '../ml/random.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { Contacts } from '../recommend/contacts.ts';
import { contactsQuery } from '../recommend/contacts.ts';
import { exportCsv } from '../recommend/export.ts';
import { policyCounts } from '../recommend/funnel.ts';
import { type PolicyOutcome, applyPolicy, recommended } from '../recommend/policy.ts';
import { pairTable, policyColumns, policySelection, recommendationsQuery, removalsQuery } from '../recommend/tables.ts';
import { textFacts } from '../recommend/text/facts.ts';
import { type WrittenText, writeTexts } from '../recommend/text/write.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { outputColumn } from '../usecase/check.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { labelColumns } from '../usecase/label.ts';
import type { Recommend } from '../usecase/recommend.ts';
import { offerScores } from '../report/summaries/offer-scores.ts';
import { recordFacts } from './common/facts.ts';
import { columnsOf, interleaved } from './common/frozen-sets.ts';
import { toTextBytes } from './common/json.ts';
import { type Factor, explainPairs } from './common/pair-factors.ts';
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
    const members = await membersOf(sql, ports, declaration, { runId, pin, predictionsVersion });
    const columns = columnsOf(members);
    const asOfMs = ports.clock.nowMs();
    const outcome = applyPolicy(policy, {
      keys: Array.from(columns[declaration.entity.key], String),
      scores: interleaved(labelColumns(declaration).map(outputColumn), columns),
      ...policyColumns(policy, members),
      contacts: await contactsBefore(sql, declaration, {
        runId,
        asOfMs,
        known: await mountTable(table, sql, 'sent_before'),
      }),
      asOfMs,
    });

    const factors = explainPairs(version.learnt, columns, sentPairs(outcome));
    const { texts, requests, spentUsd } = await writeTexts(
      factors.map(({ row, output, contributions }) =>
        textFacts(
          policy,
          policy.offers[output],
          contributions.map(({ feature, contribution }) => ({ feature, contribution, value: columns[feature][row] })),
        ),
      ),
      policy,
      {
        ...(policy.text.model && ports.texts && { generator: ports.texts(policy.text.model.id) }),
        clock: ports.clock,
        random: random(runId),
      },
    );
    await sql.insert('pairs', pairTable(outcome));
    await sql.insert('reasons', reasonTable(policy, factors, texts));
    const query = { pairs: 'pairs', members: 'members', key: declaration.entity.key, runId };
    const identity = `${quoteText(runId)} AS run_id, ${pin.version}::INTEGER AS model_version,
      make_timestamptz(${Math.floor(asOfMs)} * 1000) AS recommended_at`;
    const txn = { appId: `recommend:${runId}:v${pin.version}`, version: 1 };
    const details = { runId, modelVersion: String(pin.version), codeVersion: ports.codeVersion };
    // why a pair was removed first: a crash between the two is finished by the same run
    await appendQuery(removed, sql, `SELECT *, ${identity} FROM (${removalsQuery(policy, query)})`, { txn, details });
    await sql.run(
      `CREATE TEMP TABLE recommended AS SELECT r.*, ${identity}, t.factors, t.reason, t.reason_source, t.reason_refused
        FROM (${recommendationsQuery(policy, query)}) r
        JOIN members m USING (${quoteName(declaration.entity.key)})
        LEFT JOIN reasons t ON t._row = m._row AND t.offer_id = r.offer_id`,
    );
    const { version: recommendationsVersion } = await appendQuery(table, sql, 'SELECT * FROM recommended', {
      txn,
      details,
    });
    await writeExports(sql, ports, policy, { useCase, runId, key: declaration.entity.key });

    const counts = policyCounts(policy, outcome);
    const fromModel = texts.filter(({ source }) => source === 'model').length;
    await recordFacts(ports, { useCase, runId }, 'Recommend', {
      recommendations: {
        ...counts,
        texts: { written: texts.length, fromModel, requests, spentUsd },
        scores: offerScores(
          policy.offers.map(({ name }) => name),
          outcome.score,
          policy.minimumScore,
        ),
        minimumScore: policy.minimumScore,
      },
    });
    ports.telemetry.measure('RecommendationsSent', texts.length, useCase);
    return { useCase, runId, sent: texts.length, members: members.numRows, recommendationsVersion };
  });
};

type Run = { runId: string; pin: { version: number; dataVersion: number }; predictionsVersion: number };

/** The temporary table `members`: each member's latest scored row, with features, scores and what the policy asks; in a fixed order. */
async function membersOf(
  sql: SqlEngine,
  ports: Ports,
  declaration: Declaration,
  { runId, pin, predictionsVersion }: Run,
): Promise<Table> {
  const { id, entity } = declaration;
  const [key, eventTime] = [quoteName(entity.key), quoteName(entity.eventTime)];
  const predictions = lakeTable(ports, ports.gold, predictionsPath(id), sql);
  await mountTable(predictions, sql, 'predictions', predictionsVersion);
  await mountTable(lakeTable(ports, ports.gold, featuresPath(id), sql), sql, 'features', pin.dataVersion);
  const outputs = labelColumns(declaration).map((name) => `p.${quoteName(outputColumn(name))}`);
  const asked = policySelection(declaration.recommend!);
  await sql.run(
    `CREATE TEMP TABLE members AS
      WITH scored AS (
        SELECT f.*, ${outputs.join(', ')} FROM predictions p JOIN (${currentFeatures(declaration)}) f
          USING (${key}, ${eventTime}, _batch)
        WHERE p.run_id = ${quoteText(runId)} AND p.model_version = ${pin.version}
        QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${eventTime} DESC) = 1
      )
      SELECT ${['*', ...asked].join(', ')}, (row_number() OVER (ORDER BY ${key}))::INTEGER AS _row FROM scored`,
  );
  return sql.query('SELECT * FROM members ORDER BY _row');
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

/** The pairs that are sent: row and output of each. */
function sentPairs({ rows, offers, rule }: PolicyOutcome): { row: number; output: number }[] {
  const pairs: { row: number; output: number }[] = [];
  for (let row = 0; row < rows; row++) {
    for (let output = 0; output < offers; output++) {
      if (rule[row * offers + output] === recommended) pairs.push({ row, output });
    }
  }
  return pairs;
}

/** How many of a pair's factors are kept beside its text. */
const keptFactors = 5;

function reasonTable({ offers }: Recommend, factors: readonly Factor[], texts: readonly WrittenText[]): Table {
  return tableFromArrays({
    _row: Int32Array.from(factors, ({ row }) => row + 1),
    offer_id: factors.map(({ output }) => offers[output].id),
    factors: factors.map(({ contributions }) =>
      JSON.stringify(
        contributions.slice(0, keptFactors).map(({ feature, contribution }) => ({
          feature,
          effect: contribution > 0 ? 'raises' : 'lowers',
          shap: Number(contribution.toFixed(3)),
        })),
      ),
    ),
    reason: texts.map(({ text }) => text),
    reason_source: texts.map(({ source }) => source),
    // why a text is the template's where a model was asked
    reason_refused: texts.map(({ refusedBecause = '' }) => refusedBecause),
  });
}

/** The declared exports of what is sent, as files for people. */
async function writeExports(
  sql: SqlEngine,
  ports: Ports,
  policy: Recommend,
  { useCase, runId, key }: { useCase: string; runId: string; key: string },
): Promise<void> {
  const fields = `${quoteName(key)} AS "entityKey", recommendation_id AS "recommendationId", rank, offer_id AS "offerId",
    offer_name AS "offerName", category, description, score, priority_weight AS "priorityWeight",
    weighted_score AS "weightedScore", channel, reason, recommended_at AS "recommendedAt", model_version AS "modelVersion"`;
  for (const [name, { top }] of Object.entries(policy.exports)) {
    const rows = await sql.rows(
      `SELECT ${fields} FROM recommended WHERE status = 'sent' AND rank <= ${top} ORDER BY "entityKey", rank`,
    );
    const csv = exportCsv(policy, name, rows as unknown as Parameters<typeof exportCsv>[2]);
    await ports.gold.put(`exports/${useCase}/${runId}/${name}.csv`, toTextBytes(csv));
  }
}
