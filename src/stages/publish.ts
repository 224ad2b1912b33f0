import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { DataFiles } from '../lake/data-files.ts';
import { recordProperties } from '../lake/protocol.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { Predictions } from '../report/facts.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { bandsOf, labelName } from '../usecase/label.ts';
import { recordFacts } from './common/facts.ts';
import { digestOf } from './common/json.ts';
import { loadParts, rowsIn } from './common/parts.ts';
import { againOnChange, lakeTable, mountTable, predictionsPath, withSql } from './common/sql.ts';
import { loadEvaluation, loadVersion } from './common/version.ts';
import type { Stage } from './stage.ts';

/** The predictions of a run are not fit to be published. */
export class UnfitPredictions extends Error {
  override name = 'UnfitPredictions';
}

/** Commits the data files of all partitions at once, after checking them: readers see the whole run or nothing of it. */
export const publish: Stage<'Publish'> = async ({ useCase, runId, pin, batches, parts }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  return againOnChange(() =>
    withSql(ports, async (sql) => {
      const data = await loadParts(ports.gold, parts, 'gold');
      const rows = rowsIn(data);
      ensureFit(
        runId,
        data,
        parts.reduce((sum, part) => sum + part.rows, 0),
      );
      const table = lakeTable(ports, ports.gold, predictionsPath(useCase), sql);
      // two runs at once may have pinned the same batches: the second one finds that out here, and publishes nothing
      const before = await mountTable(table, sql, 'published_before');
      if (before) await ensureNew(sql, { runId, version: pin.version, batches });
      const { version: predictionsVersion } = await table.append(data, {
        unchangedSince: before?.version ?? -1,
        // once for these batches: a run that starts again after another drop has more to publish
        txn: { appId: `score:${runId}:v${pin.version}:${digestOf(batches.join()).slice(0, 12)}`, version: 1 },
        details: { runId, modelVersion: String(pin.version), codeVersion: ports.codeVersion },
        // what was predicted stays on record: a newer run adds to it
        properties: recordProperties,
      });

      await mountTable(table, sql, 'predictions', predictionsVersion);
      await sql.run(
        `CREATE TEMP VIEW published AS SELECT * FROM predictions WHERE run_id = ${quoteText(runId)} AND model_version = ${pin.version}`,
      );
      await recordFacts(ports, { useCase, runId }, 'Publish', {
        target: { name: labelName(declaration), unit: declaration.label.unit },
        predictions: await summary(sql, ports, declaration, pin.version),
      });
      ports.telemetry.measure('PredictionsPublished', rows, useCase);
      const recommends = declaration.recommend !== undefined;
      return { useCase, runId, version: pin.version, rows, predictionsVersion, recommends };
    }),
  );
};

/** Another run has published the same batches with the same version meanwhile. */
export class PublishedAlready extends Error {
  override name = 'PublishedAlready';
}

async function ensureNew(
  sql: SqlEngine,
  { runId, version, batches }: { runId: string; version: number; batches: readonly string[] },
): Promise<void> {
  const [found] = await sql.rows(
    `SELECT any_value(run_id) AS run FROM published_before WHERE model_version = ${version}
      AND _batch IN (${batches.map(quoteText).join(', ')}) AND run_id <> ${quoteText(runId)}`,
  );
  const other = found['run'] as string | null;
  if (other === null) return;
  throw new PublishedAlready(
    `Run ${other} has published the batches of run ${runId} with version ${version} meanwhile; nothing is published twice.`,
  );
}

/** Before anything is committed: no rows lost between the partitions and here, and a number in every row. */
function ensureFit(runId: string, data: DataFiles, expectedRows: number): void {
  const rows = rowsIn(data);
  if (rows === 0 || rows !== expectedRows) {
    throw new UnfitPredictions(
      `Run ${runId} scored ${expectedRows} rows and ${rows} are to be published: start the run again.`,
    );
  }
  for (const { stats } of data.files) {
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
