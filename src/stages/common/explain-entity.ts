import type { Json } from '../../data/json.ts';
import { quoteName, quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { useCaseOf } from '../../usecase/catalogue.ts';
import { outputColumn } from '../../usecase/check.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { labelColumns, labelName, outputNames, taskOf } from '../../usecase/label.ts';
import { columnsOf } from './frozen-sets.ts';
import { type Learnt, explainRows, isTrees, matrixOf } from './learning.ts';
import { shapOfOutput } from './pair-factors.ts';
import { scoreRows } from './scoring.ts';
import {
  featuresPath,
  lakeTable,
  latestBuilt,
  mountTable,
  predictionsPath,
  recommendationsPath,
  removalsPath,
  withSql,
} from './sql.ts';
import { loadVersion } from './version.ts';

/** What one version says of one entity as it is known last, and why; with the entity's own values, so for people who may see them. */
export type EntityExplanation = {
  useCase: string;
  entityKey: string;
  /** ISO 8601: what the features are known at. */
  eventTime: string;
  version: number;
  /** As `scoredColumns` names them, and the declared flags. */
  scored: { [column: string]: Json };
  /** What contributions are counted in. */
  scale: string;
  outputs: ExplainedOutput[];
  /** The last stored predictions of the entity, newest first. */
  stored: { runId: string; version: number; at: string; eventTime: string; prediction: number; category: string }[];
  /** What the last run that recommended anything made of the entity's offers; null where nothing is recommended. */
  recommended: { runId: string; at: string; offers: RecommendedOffer[] } | null;
};

export type ExplainedOutput = {
  name: string;
  /** Without any feature; the contributions add up from here to `value`, on the scale of the raw score. */
  expected: number;
  value: number;
  /** Those that are not 0, strongest first. */
  contributions: { feature: string; value: Json; contribution: number }[];
};

export type RecommendedOffer = {
  offerId: string;
  name: string;
  score: number;
  /** The score times the offer's priority weight: what offers are ranked by. */
  weightedScore: number;
  /** `sent`, `holdout`, or the rule that removed it. */
  outcome: string;
  rank: number | null;
  channel: string | null;
  reason: string | null;
};

/**
 * Explains what the version says of the entity by its newest features. Of several outputs those that were recommended come first,
 * then those of highest score, `top` together. Null where the feature table does not know the entity.
 */
export async function explainEntity(
  ports: Ports,
  { useCase, version, entityKey, top }: { useCase: string; version: number; entityKey: string; top: number },
): Promise<EntityExplanation | null> {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const loaded = await loadVersion(ports, useCase, version);
  return withSql(ports, async (sql) => {
    const { key, eventTime } = declaration.entity;
    const isEntity = `${quoteName(key)}::VARCHAR = ${quoteText(entityKey)}`;
    if (!(await mountTable(lakeTable(ports, ports.gold, featuresPath(useCase), sql), sql, 'features'))) return null;
    await scoreRows(
      sql,
      declaration,
      loaded,
      `SELECT * FROM features WHERE ${isEntity} ORDER BY ${quoteName(eventTime)} DESC, ${latestBuilt} LIMIT 1`,
    );
    const [row] = await sql.rows('SELECT * EXCLUDE (_row) FROM scored');
    if (row === undefined) return null;
    const columns = columnsOf(await sql.query('FROM scored'));
    const recommended = declaration.recommend ? await offersOf(sql, ports, declaration, isEntity) : null;
    const known = new Set(Object.keys(columns).filter((name) => Object.hasOwn(row, name)));
    return {
      useCase,
      entityKey,
      eventTime: row[eventTime] as string,
      version,
      scored: Object.fromEntries(
        [...scoredNames(declaration), ...Object.keys(declaration.score.flags)]
          .filter((name) => known.has(name))
          .map((name) => [name, row[name]]),
      ),
      scale: scaleOf(declaration, loaded.learnt),
      outputs: explained(
        declaration,
        loaded.learnt,
        columns,
        row,
        outputsToExplain(declaration, row, recommended, top),
      ),
      stored: await storedPredictions(sql, ports, declaration, isEntity),
      recommended,
    };
  });
}

const scoredNames = (declaration: Declaration) => [
  'prediction',
  'adjusted_prediction',
  'prediction_lower_bound',
  'prediction_upper_bound',
  'category',
  ...outputNames(declaration).map(outputColumn),
];

function scaleOf(declaration: Declaration, { model }: Learnt): string {
  const isShare = isTrees(model) && model.averaged;
  return taskOf(declaration) === 'binary' && !isShare ? 'log-odds' : declaration.label.unit;
}

/** Which outputs, by their index. */
function outputsToExplain(
  declaration: Declaration,
  row: { [column: string]: Json },
  recommended: EntityExplanation['recommended'],
  top: number,
): number[] {
  const names = labelColumns(declaration);
  if (names.length === 1) return [0];
  const score = (name: string) => Number(row[outputColumn(name)]);
  const rank = new Map(recommended?.offers.map(({ offerId, rank: place }) => [offerId, place ?? Infinity]));
  const place = (output: number) => rank.get(declaration.recommend?.offers[output]?.id ?? '') ?? Infinity;
  const byRank = (a: number, b: number) => (place(a) === place(b) ? 0 : place(a) - place(b));
  return [...names.keys()].sort((a, b) => byRank(a, b) || score(names[b]) - score(names[a])).slice(0, top);
}

function explained(
  declaration: Declaration,
  learnt: Learnt,
  columns: Columns,
  row: { [column: string]: Json },
  outputs: readonly number[],
): ExplainedOutput[] {
  const isTree = isTrees(learnt.model);
  const matrix = isTree ? matrixOf(learnt, columns) : undefined;
  return outputs.map((output) => {
    const { names, shap } = matrix
      ? { names: matrix.names, shap: shapOfOutput(learnt, matrix, output) }
      : namedShap(explainRows(declaration, learnt, columns));
    return {
      name: outputNames(declaration)[output] ?? labelName(declaration),
      expected: shap[names.length],
      value: shap.reduce((sum, value) => sum + value, 0),
      contributions: names
        .map((feature, c) => ({ feature, value: row[feature] ?? null, contribution: shap[c] }))
        .filter(({ contribution }) => contribution !== 0)
        .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)),
    };
  });
}

const namedShap = ({ matrix, shap }: ReturnType<typeof explainRows>) => ({ names: matrix.names, shap });

/** How many stored predictions are shown. */
const mostStored = 5;

async function storedPredictions(
  sql: SqlEngine,
  ports: Ports,
  { id, entity }: Declaration,
  isEntity: string,
): Promise<EntityExplanation['stored']> {
  if (!(await mountTable(lakeTable(ports, ports.gold, predictionsPath(id), sql), sql, 'predictions'))) return [];
  const rows = await sql.rows(
    `SELECT run_id AS "runId", model_version AS version, predicted_at AS at, ${quoteName(entity.eventTime)} AS "eventTime",
      prediction, category FROM predictions WHERE ${isEntity}
      ORDER BY predicted_at DESC, ${quoteName(entity.eventTime)} DESC LIMIT ${mostStored}`,
  );
  return rows as EntityExplanation['stored'];
}

/** Every offer of the entity in the last run that decided about it: sent ones by rank, then the others by weighted score. */
async function offersOf(
  sql: SqlEngine,
  ports: Ports,
  { id, recommend }: Declaration,
  isEntity: string,
): Promise<EntityExplanation['recommended']> {
  const mounted = async (path: string, name: string) => mountTable(lakeTable(ports, ports.gold, path, sql), sql, name);
  if (!(await mounted(recommendationsPath(id), 'kept')) || !(await mounted(removalsPath(id), 'removed'))) return null;
  const rows = await sql.rows(
    `WITH decided AS (
      SELECT offer_id, score, weighted_score, status AS outcome, rank, channel, reason, run_id, recommended_at FROM kept WHERE ${isEntity}
      UNION ALL BY NAME
      SELECT offer_id, score, weighted_score, removed_by AS outcome, channel, run_id, recommended_at FROM removed WHERE ${isEntity}
    )
    SELECT offer_id AS "offerId", score, weighted_score AS "weightedScore", outcome, rank, channel, reason, run_id AS "runId", recommended_at AS at FROM decided
    WHERE run_id = (SELECT run_id FROM decided ORDER BY recommended_at DESC, run_id LIMIT 1)
    ORDER BY rank NULLS LAST, weighted_score DESC`,
  );
  if (rows.length === 0) return null;
  const nameOf = new Map(recommend!.offers.map((offer) => [offer.id, offer.name]));
  const offers = rows.map(({ runId: _run, at: _at, ...offer }) => ({
    ...(offer as Omit<RecommendedOffer, 'name'>),
    name: nameOf.get(offer['offerId'] as string) ?? (offer['offerId'] as string),
  }));
  return { runId: rows[0]['runId'] as string, at: rows[0]['at'] as string, offers };
}
