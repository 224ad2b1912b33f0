import { quoteName } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';

/**
 * Makes a view of silver rows with `_newest`, which grows with the drops: of two, the one that was put later has the higher
 * number. Within one file's name the events' sequencers decide, as text padded with zeros on the right, whatever order the
 * events or the rows came in; sequencers of different names say nothing about each other, so between names the time of arrival
 * decides. A drop is as late as those of its name that it follows. Without a sequencer it is as late as it arrived.
 */
export async function numberDrops(sql: SqlEngine, rows: string, view: string): Promise<void> {
  const padded = `rpad(coalesce(sequencer, ''), ${longestSequencer}, '0')`;
  const before = 'PARTITION BY _source_file, sequencer IS NULL';
  await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(view)} AS
    WITH every AS (FROM ${quoteName(rows)} UNION ALL BY NAME SELECT NULL::VARCHAR AS _sequencer WHERE false),
    drops AS (
      SELECT _drop_id, _source_file, max(_sequencer) AS sequencer, max(_ingested_at) AS arrived FROM every GROUP BY ALL
    ),
    late AS (
      SELECT *, CASE WHEN sequencer IS NULL THEN arrived
        ELSE max(arrived) OVER (${before} ORDER BY ${padded} ROWS UNBOUNDED PRECEDING) END AS late FROM drops
    ),
    numbered AS (
      SELECT _drop_id, _source_file, row_number() OVER (ORDER BY late, ${padded}, _drop_id) AS _newest FROM late
    )
    SELECT every.*, _newest FROM every JOIN numbered USING (_drop_id, _source_file)`);
}

/** S3 says nothing of their length; they have 16 to 18 digits. */
const longestSequencer = 64;
