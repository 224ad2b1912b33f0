import { quoteName, quoteText } from '../data/quote.ts';
import { storeQuery } from '../lake/write.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { scoredColumns } from '../usecase/check.ts';
import { inPartition, storePart } from './common/parts.ts';
import { scoreRows } from './common/scoring.ts';
import {
  currentFeatures,
  featuresPath,
  lakeTable,
  mountTable,
  predictionsPath,
  shadowsPath,
  withSql,
} from './common/sql.ts';
import { loadVersion } from './common/version.ts';
import type { Stage } from './stage.ts';

/** The registry no longer holds what the run pinned. */
export class PinBroken extends Error {
  override name = 'PinBroken';
}

/** Predicts one partition and stores its rows as a data file, which counts for nothing until `Publish` commits it. */
export const score: Stage<'Score'> = async ({ useCase, runId, pin, batches, partition }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const version = await loadVersion(ports, useCase, pin.version);
  if (version.manifest.digest !== pin.modelDigest) {
    throw new PinBroken(
      `Version ${pin.version} of ${useCase} is not the one that run ${runId} pinned; start the run again.`,
    );
  }
  return withSql(ports, async (sql) => {
    const { key, eventTime } = declaration.entity;
    await mountTable(lakeTable(ports, ports.gold, featuresPath(useCase), sql), sql, 'features', pin.dataVersion);
    await scoreRows(
      sql,
      declaration,
      version,
      `SELECT * FROM (${currentFeatures(declaration)}) WHERE _batch IN (${batches.map(quoteText).join(', ')}) AND ${inPartition(key, partition)}`,
      ports,
    );
    const columns = [key, eventTime, ...scoredColumns(declaration), ...Object.keys(declaration.score.flags)];
    const path = pin.shadow ? shadowsPath(useCase) : predictionsPath(useCase);
    const table = lakeTable(ports, ports.gold, path, sql);
    const data = await storeQuery(
      table,
      sql,
      `SELECT ${columns.map(quoteName).join(', ')}, _batch,
        ${quoteText(runId)} AS run_id, ${pin.version}::INTEGER AS model_version, ${quoteText(pin.modelDigest)} AS model_digest,
        ${pin.dataVersion}::INTEGER AS data_version, make_timestamptz(${Math.floor(ports.clock.nowMs())} * 1000) AS predicted_at
      FROM scored ORDER BY ALL`,
    );
    return storePart(ports.gold, { table: path, runId, partition }, data);
  });
};
