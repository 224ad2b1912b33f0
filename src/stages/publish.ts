import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { isEnough } from '../governance/shadow.ts';
import type { DataFiles } from '../lake/data-files.ts';
import { isDone } from '../lake/plans.ts';
import { recordProperties } from '../lake/protocol.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { Predictions } from '../report/facts.ts';
import type { StageInput, StageOutput } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { bandsOf, labelName } from '../usecase/label.ts';
import { recordFacts } from './common/facts.ts';
import { digestOf } from './common/json.ts';
import { loadParts, rowsIn } from './common/parts.ts';
import { observeShadow, shadowFacts, storeEvidence } from './common/shadow.ts';
import { againOnChange, lakeTable, mountTable, predictionsPath, shadowsPath, withSql } from './common/sql.ts';
import { loadEvaluation, loadVersion } from './common/version.ts';
import type { Stage } from './stage.ts';

/** The predictions of a run are not fit to be published. */
export class UnfitPredictions extends Error {
  override name = 'UnfitPredictions';
}

/**
 * Commits the data files of all partitions at once, after checking them: readers see the whole run or nothing of it. What a version
 * in shadow has predicted goes to a table of its own; once enough of it is seen, that is written down, and judged by `Govern`.
 */
export const publish: Stage<'Publish'> = async (input, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, input.useCase);
  return againOnChange(() =>
    withSql(ports, (sql) =>
      input.pin.shadow
        ? publishShadow(sql, ports, declaration, input, input.pin.shadow.champion)
        : publishScores(sql, ports, declaration, input),
    ),
  );
};

type Publication = StageInput<'Publish'>;
type Published = StageOutput<'Publish'>;

async function publishScores(
  sql: SqlEngine,
  ports: Ports,
  declaration: Declaration,
  { useCase, runId, pin, batches, parts }: Publication,
): Promise<Published> {
  const data = await storedParts(ports, runId, parts);
  ensureComplete(runId, data);
  const table = lakeTable(ports, ports.gold, predictionsPath(useCase), sql);
  // two runs at once may have pinned the same batches, or one run twice, a drop in between: the second one finds that out here
  const before = await mountTable(table, sql, 'published_before');
  const commit = commitOf(ports, { runId, pin, batches });
  const other = before && !isDone(before, commit.txn) && (await publishedBy(sql, pin.version, batches));
  if (other) {
    throw new PublishedAlready(
      `Batches of run ${runId} have been published with version ${pin.version} meanwhile, by run ${other}; nothing is published twice.`,
    );
  }
  const { version: predictionsVersion } = await table.append(data, {
    unchangedSince: before?.version ?? -1,
    ...commit,
  });

  await mountTable(table, sql, 'predictions', predictionsVersion);
  await sql.run(
    `CREATE TEMP VIEW published AS SELECT * FROM predictions WHERE run_id = ${quoteText(runId)} AND model_version = ${pin.version}`,
  );
  await recordFacts(ports, { useCase, runId }, 'Publish', {
    target: { name: labelName(declaration), unit: declaration.label.unit },
    predictions: await summary(sql, ports, declaration, pin.version),
  });
  const rows = rowsIn(data);
  ports.telemetry.measure('PredictionsPublished', rows, useCase);
  const recommends = declaration.recommend !== undefined;
  return { useCase, runId, version: pin.version, rows, predictionsVersion, recommends };
}

/** Without parts nothing is added, and what is there is looked at. What another run was faster with counts as well. */
async function publishShadow(
  sql: SqlEngine,
  ports: Ports,
  declaration: Declaration,
  { useCase, runId, pin, batches, parts }: Publication,
  champion: number | null,
): Promise<Published> {
  const table = lakeTable(ports, ports.gold, shadowsPath(useCase), sql);
  const before = await mountTable(table, sql, 'published_before');
  const data = parts.length > 0 ? await storedParts(ports, runId, parts) : undefined;
  const commit = commitOf(ports, { runId, pin, batches });
  const other = before && !isDone(before, commit.txn) && (await publishedBy(sql, pin.version, batches));
  const isNew = data !== undefined && !other;
  const written = isNew ? await table.append(data, { unchangedSince: before?.version ?? -1, ...commit }) : before;

  const evidence = await observeShadow(sql, ports, declaration, { version: pin.version, champion });
  await recordFacts(ports, { useCase, runId }, 'Publish-shadow', { shadow: shadowFacts(evidence) });
  const isSeen = declaration.shadow !== undefined && isEnough(declaration.shadow, evidence);
  return {
    useCase,
    runId,
    version: pin.version,
    rows: isNew ? rowsIn(data) : 0,
    // of the table that it was added to
    predictionsVersion: written?.version ?? 0,
    recommends: false,
    ...(isSeen && { evidence: await storeEvidence(ports, useCase, evidence) }),
  };
}

/** What the partitions have stored, with as many rows as they have said. */
async function storedParts(ports: Ports, runId: string, parts: Publication['parts']): Promise<DataFiles> {
  const data = await loadParts(ports.gold, parts, 'gold');
  const [rows, expected] = [rowsIn(data), parts.reduce((sum, part) => sum + part.rows, 0)];
  if (rows > 0 && rows === expected) return data;
  throw new UnfitPredictions(
    `Run ${runId} scored ${expected} rows and ${rows} are to be published: start the run again.`,
  );
}

function commitOf(ports: Ports, { runId, pin, batches }: Pick<Publication, 'runId' | 'pin' | 'batches'>) {
  return {
    // once for these batches: a run that starts again after another drop has more to publish
    txn: { appId: `score:${runId}:v${pin.version}:${digestOf(batches.join()).slice(0, 12)}`, version: 1 },
    details: { runId, modelVersion: String(pin.version), codeVersion: ports.codeVersion },
    // what was predicted stays on record: a newer run adds to it
    properties: recordProperties,
  };
}

/** The same batches have been published with the same version meanwhile, by another run or by another attempt with more or fewer. */
export class PublishedAlready extends Error {
  override name = 'PublishedAlready';
}

/** The run that has published any of these batches with this version, if one has. */
async function publishedBy(sql: SqlEngine, version: number, batches: readonly string[]): Promise<string | null> {
  if (batches.length === 0) return null;
  const [found] = await sql.rows(
    `SELECT any_value(run_id) AS run FROM published_before WHERE model_version = ${version}
      AND _batch IN (${batches.map(quoteText).join(', ')})`,
  );
  return found['run'] as string | null;
}

/** Before anything is committed: a number and a band in every row. */
function ensureComplete(runId: string, { files }: DataFiles): void {
  for (const { stats } of files) {
    const { nullCount } = JSON.parse(stats) as { nullCount: { [column: string]: number } };
    if (nullCount['prediction'] > 0 || nullCount['category'] > 0) {
      throw new UnfitPredictions(
        `${nullCount['prediction']} predictions of run ${runId} are missing; nothing is published. ` +
          'Check the model version and the features of its batches.',
      );
    }
  }
}

/** Counts of bands and flags, and how wide and how true the intervals are. */
async function summary(sql: SqlEngine, ports: Ports, declaration: Declaration, version: number): Promise<Predictions> {
  const { id, score } = declaration;
  const { manifest } = await loadVersion(ports, id, version);
  const { coverage } = await loadEvaluation(ports, manifest);
  const flags = Object.keys(score.flags).map((flag, i) => `count(*) FILTER (${quoteName(flag)}) AS flag${i}`);
  const width = score.interval ? ['avg(prediction_upper_bound - prediction_lower_bound) AS width'] : [];
  const [total] = await sql.rows(
    `SELECT ${['count(*) AS rows', 'avg(prediction) AS mean', ...width, ...flags].join(', ')} FROM published`,
  );
  const bands = bandsOf(declaration);
  const counted = await sql.rows('SELECT category, count(*) AS rows FROM published GROUP BY category');
  const countOf = new Map(counted.map(({ category, rows }) => [category as string, Number(rows)]));
  return {
    rows: Number(total['rows']),
    modelVersion: String(version),
    mean: Number(total['mean']),
    bands: bands.map(({ name, below }, i) => ({
      name,
      rows: countOf.get(name) ?? 0,
      ...(i > 0 && { from: bands[i - 1].below! }),
      ...(below !== undefined && { to: below }),
    })),
    flags: Object.entries(score.flags).map(([name, rule], i) => ({ name, rows: Number(total[`flag${i}`]), rule })),
    ...(score.interval &&
      coverage && {
        intervals: {
          nominalCoverage: score.interval.coverage,
          measuredCoverage: coverage.coverage,
          meanWidth: Number(total['width']),
        },
      }),
  };
}
