import { quoteName } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { type SentRecommendation, exportCsv } from '../../recommend/export.ts';
import type { ExportField, Recommend } from '../../usecase/recommend.ts';
import { toTextBytes } from './json.ts';

/** Members of whom an export is written at a time. */
const pageMembers = 5000;

/** The declared exports of what is sent, as files for people. */
export async function writeExports(
  sql: SqlEngine,
  ports: Ports,
  policy: Recommend,
  { useCase, runId, key, members }: { useCase: string; runId: string; key: string; members: number },
  page = pageMembers,
): Promise<void> {
  const fields: { [field in ExportField]: string } = {
    entityKey: quoteName(key),
    recommendationId: 'recommendation_id',
    rank: 'rank',
    offerId: 'offer_id',
    offerName: 'offer_name',
    category: 'category',
    description: 'description',
    score: 'score',
    priorityWeight: 'priority_weight',
    weightedScore: 'weighted_score',
    channel: 'channel',
    reason: 'reason',
    recommendedAt: 'recommended_at',
    modelVersion: 'model_version',
  };
  for (const [name, { top, columns }] of Object.entries(policy.exports)) {
    const wanted = new Set<ExportField>(['rank', ...Object.values(columns)]);
    const selected = [...wanted].map((field) => `${fields[field]} AS ${quoteName(field)}`).join(', ');
    const csv = exportCsv(policy, name);
    const pages = [toTextBytes(csv.header)];
    for (let from = 1; from <= members; from += page) {
      const rows = await sql.rows(
        `SELECT ${selected} FROM recommended
          WHERE status = 'sent' AND rank <= ${top} AND _row >= ${from} AND _row < ${from + page}
          ORDER BY _row, "rank"`,
      );
      pages.push(toTextBytes(csv.lines(rows as unknown as SentRecommendation[])));
    }
    await ports.gold.put(`exports/${useCase}/${runId}/${name}.csv`, Buffer.concat(pages));
  }
}
