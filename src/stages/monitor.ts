import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { appendQuery } from '../lake/write.ts';
import { groupsOf } from '../ml/metrics/actual-expected.ts';
import type { Cell } from '../ml/encoders/columns.ts';
import { isMissing, numbers } from '../ml/encoders/columns.ts';
import { takeRows } from '../ml/tune/cross-validate.ts';
import { type MonitoringResult, monitor as look } from '../monitoring/monitor.ts';
import type { PeriodConfusion } from '../monitoring/confusion.ts';
import type { MaturedRows } from '../monitoring/performance.ts';
import type { ReferenceProfile } from '../monitoring/reference.ts';
import { severities } from '../monitoring/severity.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Columns } from '../ml/encoders/columns.ts';
import { outputColumn } from '../usecase/check.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { labelColumns, taskOf } from '../usecase/label.ts';
import { confusionFacts, confusionOverTime, confusionRows } from './common/confusion.ts';
import { daysOf } from './common/duration.ts';
import { driftFacts } from './common/drift-facts.ts';
import { factsOf, recordFacts } from './common/facts.ts';
import { columnsOf, interleaved } from './common/frozen-sets.ts';
import { metricSet } from './common/metric-set.ts';
import { monitoredRows } from './common/monitored-rows.ts';
import {
  confusionPath,
  driftPath,
  featuresPath,
  lakeTable,
  mountTable,
  predictionsPath,
  withSql,
} from './common/sql.ts';
import { upliftFacts } from './common/uplift-facts.ts';
import { loadVersion, readDocument } from './common/version.ts';
import type { Stage } from './stage.ts';

/**
 * Compares what a run has scored with the frozen training profile of the model that scored it, and, where the truth is known,
 * its predictions with that. One verdict, kept in the drift table. Of an event it keeps what was decided in each month, against
 * what happened; where it is known what came of recommendations, it measures what contacts change.
 */
export const monitor: Stage<'Monitor'> = async ({ useCase, runId, version, predictionsVersion }, ports) => {
  const definition = useCaseOf(ports.catalogue, useCase);
  const { declaration, contracts } = definition;
  const { manifest, training } = await loadVersion(ports, useCase, version);
  const reference = await readDocument<ReferenceProfile>(ports, manifest, 'reference.json');

  return withSql(ports, async (sql) => {
    const { key, eventTime } = declaration.entity;
    await mountTable(
      lakeTable(ports, ports.gold, predictionsPath(useCase), sql),
      sql,
      'predictions',
      predictionsVersion,
    );
    await mountTable(lakeTable(ports, ports.gold, featuresPath(useCase), sql), sql, 'features');
    const scored = await sql.query(
      `SELECT f.*, p.* EXCLUDE (${quoteName(key)}, ${quoteName(eventTime)}, _batch)
        FROM predictions p JOIN features f USING (${quoteName(key)}, ${quoteName(eventTime)}, _batch)
        WHERE p.run_id = ${quoteText(runId)} AND p.model_version = ${version}`,
    );
    const columns = columnsOf(scored);
    const quality = (await factsOf(ports, { useCase, runId }, 'Pin'))?.quality;
    const result = look(
      {
        reference,
        rows: monitoredRows(declaration, columns),
        matured: maturedRows(declaration, columns, ports.clock.nowMs()),
        delivery: {
          acceptedRows: quality?.acceptedRows ?? scored.numRows,
          quarantinedRows: quality?.quarantinedRows ?? 0,
        },
        units: unitsOf(declaration, contracts),
        metrics: metricSet(training.reference),
        seed: declaration.split.seed,
      },
      declaration.monitor,
      declaration.retrain.onDrift,
    );

    const table = lakeTable(ports, ports.gold, driftPath(useCase), sql);
    await appendQuery(table, sql, driftRows(result, { runId, version, atMs: ports.clock.nowMs() }), {
      txn: { appId: `monitor:${runId}:v${version}`, version: 1 },
      details: { runId, codeVersion: ports.codeVersion },
    });
    const periods = await confusionOverTime(sql, declaration, {
      metrics: metricSet(training.reference),
      nowMs: ports.clock.nowMs(),
    });
    if (periods.length > 0) await keepConfusion(sql, ports, periods, { useCase, runId, version });
    const confusion = confusionFacts(declaration, periods);
    const uplift = await upliftFacts(sql, ports, definition);
    await recordFacts(ports, { useCase, runId }, 'Monitor', {
      ...(confusion && { confusion }),
      drift: driftFacts(result, declaration, unitsOf(declaration, contracts), version),
      ...(uplift && { uplift }),
    });
    const { verdict } = result;
    ports.telemetry.measure('DriftSeverity', severities.indexOf(verdict.severity), useCase);
    return {
      useCase,
      runId,
      severity: verdict.severity,
      driftDetected: verdict.driftDetected,
      features: verdict.features,
      retrain: verdict.retrain,
      reason: verdict.reason,
      action: verdict.action,
    };
  });
};

/** Adds one row for each month and decision. */
async function keepConfusion(
  sql: SqlEngine,
  ports: Ports,
  periods: readonly PeriodConfusion[],
  { useCase, runId, version }: { useCase: string; runId: string; version: number },
): Promise<void> {
  await appendQuery(
    lakeTable(ports, ports.gold, confusionPath(useCase), sql),
    sql,
    `SELECT ${quoteText(runId)} AS run_id, make_timestamptz(${Math.floor(ports.clock.nowMs())} * 1000) AS monitored_at, *
      FROM (${confusionRows(periods)})`,
    {
      txn: { appId: `confusion:${runId}:v${version}`, version: 1 },
      details: { runId, codeVersion: ports.codeVersion },
    },
  );
}

/** Rows whose label is there and final by now. */
function maturedRows(declaration: Declaration, columns: Columns, nowMs: number): MaturedRows {
  const { label, entity, monitor } = declaration;
  const labels = labelColumns(declaration);
  const outputs = labels.length;
  const actual = interleaved(labels, columns);
  const predicted = interleaved(outputs === 1 ? ['prediction'] : labels.map(outputColumn), columns);
  const maturityMs = daysOf(label.maturity) * 86_400_000;
  const times = numbers(entity.eventTime, columns[entity.eventTime]);
  const isKnown = (row: number) => !actual.subarray(row * outputs, (row + 1) * outputs).some(Number.isNaN);
  const rows = Array.from(times.keys()).filter((row) => isKnown(row) && times[row] + maturityMs <= nowMs);
  return {
    task: taskOf(declaration),
    outputs,
    actual: takeRows(actual, rows, outputs),
    predicted: takeRows(predicted, rows, outputs),
    groups: Object.fromEntries(
      monitor.slices.map((slice) => [slice, groupsOf(rows.map((row): Cell => presentOrNull(columns[slice][row])))]),
    ),
  };
}

const presentOrNull = (cell: Cell): Cell => (isMissing(cell) ? null : cell);

/** One row per watched column and one for the prediction. */
function driftRows(
  { drift, verdict }: MonitoringResult,
  { runId, version, atMs }: { runId: string; version: number; atMs: number },
): string {
  const number = (value: number | null) => (value === null || !Number.isFinite(value) ? 'NULL' : String(value));
  const rows = [...drift.columns, drift.prediction].map(
    (column) =>
      `(${quoteText(column.name)}, ${quoteText(column.severity)}, ${number(column.psi)}, ${quoteText(column.test.name)},
        ${number(column.test.statistic)}, ${number(column.test.pValue)}, ${number(column.test.adjustedPValue)},
        ${quoteText(column.shift.direction)}, ${number(column.shift.reference)}, ${number(column.shift.analysis)},
        ${number(column.minimumDetectableShift)}, ${column.rows.analysis})`,
  );
  return `SELECT ${quoteText(runId)} AS run_id, ${version}::INTEGER AS model_version,
      make_timestamptz(${Math.floor(atMs)} * 1000) AS monitored_at, ${quoteText(verdict.kind)} AS verdict,
      column_name, severity, psi::DOUBLE AS psi, test, statistic::DOUBLE AS statistic, p_value::DOUBLE AS p_value,
      adjusted_p_value::DOUBLE AS adjusted_p_value, direction, reference::DOUBLE AS reference, analysis::DOUBLE AS analysis,
      minimum_detectable_shift::DOUBLE AS minimum_detectable_shift, rows::INTEGER AS rows
    FROM (VALUES ${rows.join(', ')}) AS watched (column_name, severity, psi, test, statistic, p_value, adjusted_p_value,
      direction, reference, analysis, minimum_detectable_shift, rows)`;
}

/** Units by column: the contract's for those that pass through, the label's for the prediction. */
function unitsOf(
  { label, features }: Declaration,
  contracts: { [source: string]: { contract: { columns: readonly { name: string; unit?: string }[] } } },
): { [column: string]: string } {
  const known = Object.values(contracts).flatMap(({ contract }) => contract.columns);
  const units = features.numeric.map((name) => [name, known.find((column) => column.name === name)?.unit ?? '']);
  return { ...Object.fromEntries(units), prediction: label.unit };
}
