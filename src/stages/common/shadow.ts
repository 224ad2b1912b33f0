import { sum } from 'd3-array';
import { quoteName } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { ScoreBins, ShadowEvidence } from '../../governance/shadow.ts';
import { numbers } from '../../ml/encoders/columns.ts';
import { countBins, quantileEdges } from '../../ml/stats/bins.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { ShadowFacts } from '../../report/facts.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { overlayOf } from './drift-facts.ts';
import { columnsOf } from './frozen-sets.ts';
import { digestOf, fromJsonBytes, getWritten, toJsonBytes } from './json.ts';
import { lakeTable, mountTable, predictionsPath, shadowsPath } from './sql.ts';
import { loadEvaluation, loadVersion } from './version.ts';

/** Predictions are compared over the tenths of those of the frozen test set. */
const scoreBins = 10;

/** The tenths of these predictions, rows × outputs; of several outputs their mean, as scoring gives it. */
export function scoreBinsOf(predicted: Float64Array, outputs: number): ScoreBins {
  const scores = Float64Array.from({ length: predicted.length / outputs }, (_, row) =>
    predicted.subarray(row * outputs, (row + 1) * outputs).reduce((sum, value) => sum + value / outputs, 0),
  );
  const edges = quantileEdges(scores.toSorted(), scoreBins);
  return { edges, counts: countBins(scores, edges) };
}

/** What there is to see of a version in shadow by now, beside the champion where there is one: counts, and nobody's values. */
export async function observeShadow(
  sql: SqlEngine,
  ports: Ports,
  { id, entity }: Declaration,
  { version, champion }: { version: number; champion: number | null },
): Promise<ShadowEvidence> {
  const table = (path: string) => lakeTable(ports, ports.gold, path, sql);
  const nothing = { format: 1, version, runs: 0, rows: 0, failures: 0, scores: null, champion: null } as const;
  if (!(await mountTable(table(shadowsPath(id)), sql, 'shadows'))) return nothing;
  const own = `SELECT * FROM shadows WHERE model_version = ${version}`;
  const [seen] = await sql.rows(
    `SELECT count(DISTINCT run_id) AS runs, count(*) AS rows, count(*) FILTER (prediction IS NULL OR isnan(prediction)) AS failures
      FROM (${own})`,
  );
  const { scores: test } = await loadEvaluation(ports, (await loadVersion(ports, id, version)).manifest);
  const edges = test?.edges ?? [];
  const binned = async (query: string) =>
    countBins(numbers('prediction', columnsOf(await sql.query(query))['prediction']), edges);

  const evidence: ShadowEvidence = {
    ...nothing,
    runs: Number(seen['runs']),
    rows: Number(seen['rows']),
    failures: Number(seen['failures']),
    scores: test ? { edges, test: test.counts, shadow: await binned(`SELECT prediction FROM (${own})`) } : null,
  };
  if (champion === null) return evidence;

  const scored = await mountTable(table(predictionsPath(id)), sql, 'predictions_beside');
  const keys = [entity.key, entity.eventTime, '_batch'].map(quoteName).join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE beside AS ${
      scored
        ? `SELECT s.prediction AS in_shadow, s.category AS shadow, c.prediction, c.category AS champion
            FROM (${own}) s JOIN predictions_beside c USING (${keys}) WHERE c.model_version = ${champion}`
        : `SELECT prediction AS in_shadow, category AS shadow, prediction, category AS champion FROM shadows WHERE false`
    }`,
  );
  const [both] = await sql.rows('SELECT count(*) AS rows, avg(in_shadow - prediction) AS difference FROM beside');
  const decisions = await sql.rows(
    'SELECT champion, shadow, count(*) AS rows FROM beside GROUP BY ALL ORDER BY champion, shadow',
  );
  return {
    ...evidence,
    champion: {
      version: champion,
      rows: Number(both['rows']),
      meanDifference: both['difference'] === null ? null : Number(both['difference']),
      scores: await binned('SELECT prediction FROM beside'),
      decisions: decisions.map((cell) => ({
        champion: cell['champion'] as string,
        shadow: cell['shadow'] as string,
        rows: Number(cell['rows']),
      })),
    },
  };
}

/** Writes down what was seen, under a name of its own content: who judges by the key judges by this, whatever is scored meanwhile. */
export async function storeEvidence(ports: Ports, useCase: string, evidence: ShadowEvidence): Promise<string> {
  const bytes = toJsonBytes(evidence);
  const key = `${shadowsPath(useCase)}/_evidence/v${evidence.version}-${digestOf(bytes).slice(0, 12)}.json`;
  await ports.gold.put(key, bytes);
  return key;
}

export async function readEvidence(ports: Ports, key: string): Promise<ShadowEvidence> {
  return fromJsonBytes<ShadowEvidence>(await getWritten(ports.gold, key, 'gold'), `gold/${key}`);
}

/** What was seen, as the report shows it. */
export function shadowFacts({ version, runs, rows, failures, scores, champion }: ShadowEvidence): ShadowFacts {
  return {
    version: String(version),
    runs,
    rows,
    failures,
    ...(scores && {
      testRows: sum(scores.test),
      overlay: overlayOf(
        { edges: scores.edges, levels: null, reference: scores.test, analysis: scores.shadow },
        { reference: sum(scores.test), analysis: sum(scores.shadow) },
      ),
    }),
    ...(champion && {
      champion: {
        version: String(champion.version),
        rows: champion.rows,
        meanDifference: champion.meanDifference,
        decisions: champion.decisions,
      },
    }),
  };
}
