import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { silverColumns } from '../data/contract/silver.ts';
import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { storeQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { type UseCase, contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { featureTableColumns } from '../usecase/check.ts';
import { featureQuery } from '../usecase/feature-query.ts';
import { deliveriesOf, numberDrops } from './common/newest.ts';
import {
  againOnChange,
  currentRows,
  featuresPath,
  lakeTable,
  latestBuilt,
  mountTable,
  silverPath,
  withSql,
} from './common/sql.ts';
import type { StageOutput } from '../stages.ts';
import type { Stage } from './stage.ts';

/**
 * Runs the use case's features.sql over silver and appends the rows that are new or have changed as one batch, named after
 * the drop. Rows that hold already are not written again; nothing is ever overwritten. Until every source has delivered there is
 * nothing to join, and nothing is built.
 */
export const features: Stage<'Features'> = async ({ useCase, runId }, ports) => {
  const definition = useCaseOf(ports.catalogue, useCase);
  // a run that has read older silver must not have the last word: what was built meanwhile is built upon
  return againOnChange(() => build(definition, runId, ports));
};

function build(definition: UseCase, runId: string, ports: Ports): Promise<StageOutput<'Features'>> {
  const useCase = definition.declaration.id;
  return withSql(ports, async (sql) => {
    const table = lakeTable(ports, ports.gold, featuresPath(useCase), sql);
    const existing = await mountTable(table, sql, 'existing');
    const waitsFor = await mountSources(sql, definition, ports);
    const hasChampion = liveAt(await readLedger(ports.registry, useCase), 'champion') !== null;
    if (waitsFor.length > 0) return { useCase, runId, rows: 0, dataVersion: 0, hasChampion, complete: false };

    const { entity } = definition.declaration;
    const columns = featureTableColumns(definition.declaration).map(quoteName).join(', ');
    const current = currentRows('existing', [entity.key, entity.eventTime], latestBuilt);
    const known = existing ? `EXCEPT SELECT ${columns} FROM (${current})` : '';
    // by a clock that is behind the last writer's, the newest rows would not be the latest
    const now = `make_timestamptz(${Math.floor(ports.clock.nowMs())} * 1000)`;
    const builtAt = existing ? `greatest(${now}, (SELECT max(_built_at) + INTERVAL 1 MILLISECOND FROM existing))` : now;
    const batch = `SELECT *, ${quoteText(runId)} AS _batch, ${builtAt} AS _built_at
      FROM (SELECT ${columns} FROM (${featureQuery(definition)}\n) ${known}) ORDER BY ALL`;
    const data = await storeQuery(table, sql, batch);
    const rows = data.files.reduce((sum, file) => sum + file.rows, 0);
    const txn = { appId: `features:${runId}`, version: 1 };
    const details = { runId, codeVersion: ports.codeVersion };
    // a drop that brings nothing new makes no new data version, which would seem worth a retraining
    const unchangedSince = existing?.version ?? -1;
    const written = rows === 0 ? existing : await table.append(data, { txn, details, unchangedSince });
    return { useCase, runId, rows, dataVersion: written?.version ?? 0, hasChampion, complete: true };
  });
}

/**
 * Each source as the view of its name: its current rows, or no rows where nothing has arrived yet. Returns the sources that have
 * not delivered and are not optional.
 */
async function mountSources(sql: SqlEngine, useCase: UseCase, ports: Ports): Promise<string[]> {
  const { id, entity, sources } = useCase.declaration;
  const waitsFor: string[] = [];
  for (const [source, { optional }] of Object.entries(sources)) {
    const contract = releasedContract(contractOf(useCase, source));
    const raw = `${source} as delivered`;
    const mounted = await mountTable(lakeTable(ports, ports.silver, silverPath(id, source), sql), sql, raw);
    if (!mounted && !optional) waitsFor.push(source);
    const names = contract.columns.map(({ name }) => name);
    const keys = contract.columns.filter(({ name, primaryKey }) => primaryKey || name === entity.eventTime);
    const columns = names.map(quoteName).join(', ');
    const inOrder = `${source} in order`;
    if (mounted) await numberDrops(sql, raw, inOrder, deliveriesOf(mounted));
    const rows = mounted
      ? currentRows(
          inOrder,
          keys.map(({ name }) => name),
          '_newest DESC, _line DESC',
        )
      : `SELECT ${silverColumns(contract)
          .map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`)
          .join(', ')} WHERE false`;
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(source)} AS SELECT ${columns} FROM (${rows})`);
  }
  return waitsFor;
}
