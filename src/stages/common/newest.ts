import { quoteName, quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { TransactionId } from '../../lake/plans.ts';
import type { Snapshot } from '../../lake/snapshot.ts';
import type { DeltaTable } from '../../lake/table.ts';
import type { Drop } from './drop.ts';

/**
 * That the content of a drop was delivered: first by the drop itself, then under another name or, after other contents, under its
 * own again. Rows are kept once; their place in the order is that of their last delivery. Silver's log tells of each.
 */
export type Delivery = {
  /** The drop that brought the rows. */
  dropId: string;
  /** Of the file or manifest that was delivered this time. */
  name: string;
  /** Of the event; empty where there is none. */
  sequencer: string;
  arrivedAtMs: number;
};

export const deliveryOf = ({ dropId, name, sequencer = '', arrivedAtMs }: Drop): Delivery => ({
  dropId,
  name,
  sequencer,
  arrivedAtMs,
});

const markPrefix = 'delivery:';

/** The delivery as a mark in the log of a table; without a sequencer a later arrival takes the place of the earlier one. */
export function deliveryMark({ dropId, name, sequencer, arrivedAtMs }: Delivery): TransactionId {
  return { appId: `${markPrefix}${JSON.stringify([dropId, name, sequencer])}`, version: arrivedAtMs };
}

/** Every delivery that the log tells of. */
export function deliveriesOf({ transactions }: Pick<Snapshot, 'transactions'>): Delivery[] {
  return [...transactions.values()]
    .filter(({ appId }) => appId.startsWith(markPrefix))
    .map(({ appId, version }) => {
      const [dropId, name, sequencer] = JSON.parse(appId.slice(markPrefix.length)) as string[];
      return { dropId, name, sequencer, arrivedAtMs: version };
    });
}

/** Notes a delivery of rows that are in silver already. The same one again, or a sweep's find of it, changes nothing. */
export async function noteDelivery(table: DeltaTable, delivery: Delivery): Promise<void> {
  const silver = await table.snapshot();
  if (isNoted(silver, delivery)) return;
  const { schema, metadata } = silver;
  await table.append(
    { schema, partitionColumns: metadata.partitionColumns, files: [] },
    { txn: deliveryMark(delivery) },
  );
}

function isNoted(silver: Snapshot, delivery: Delivery): boolean {
  const { appId } = deliveryMark(delivery);
  if (delivery.sequencer !== '') return silver.transactions.has(appId);
  return deliveriesOf(silver).some(
    ({ dropId, name, arrivedAtMs }) =>
      dropId === delivery.dropId && name === delivery.name && arrivedAtMs >= delivery.arrivedAtMs,
  );
}

/** Whether the rows hold again by this delivery: since they were delivered before it, others were. */
export function isRenewal(deliveries: readonly Delivery[], delivery: Delivery): boolean {
  const before = inOrder([...deliveries.filter((other) => !isSame(other, delivery)), delivery]);
  before.length = before.indexOf(delivery);
  const last = before.findLastIndex(({ dropId }) => dropId === delivery.dropId);
  return last >= 0 && last < before.length - 1;
}

const isSame = (a: Delivery, b: Delivery) => deliveryMark(a).appId === deliveryMark(b).appId;

/**
 * The deliveries, the newest last. Within one name the events' sequencers decide, as text padded with zeros on the right,
 * whatever order the events came in; sequencers of different names say nothing about each other, so between names the time of
 * arrival decides. A delivery is as late as those of its name that it follows. Without a sequencer it is as late as it arrived.
 */
export function inOrder(deliveries: readonly Delivery[]): Delivery[] {
  const lateMs = new Map<Delivery, number>();
  for (const ofName of Map.groupBy(deliveries, ({ name }) => name).values()) {
    let latestMs = -Infinity;
    for (const delivery of ofName.toSorted(bySequencer)) {
      if (delivery.sequencer !== '') latestMs = Math.max(latestMs, delivery.arrivedAtMs);
      lateMs.set(delivery, delivery.sequencer === '' ? delivery.arrivedAtMs : latestMs);
    }
  }
  return deliveries.toSorted(
    (a, b) => lateMs.get(a)! - lateMs.get(b)! || bySequencer(a, b) || compareTexts(a.dropId, b.dropId),
  );
}

/** S3 says nothing of their length; they have 16 to 18 digits. */
const longestSequencer = 64;
const bySequencer = (a: Delivery, b: Delivery) =>
  compareTexts(a.sequencer.padEnd(longestSequencer, '0'), b.sequencer.padEnd(longestSequencer, '0'));
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Makes a view of silver rows with `_newest`, which grows with the deliveries: of two rows, the one whose content was delivered
 * later has the higher number. Of one drop's files the last by name has the highest.
 */
export async function numberDrops(
  sql: SqlEngine,
  rows: string,
  view: string,
  deliveries: readonly Delivery[],
): Promise<void> {
  const places = new Map(inOrder(deliveries).map(({ dropId }, i) => [dropId, i]));
  const values = [...places].map(([dropId, place]) => `(${quoteText(dropId)}, ${place})`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(view)} AS
    WITH files AS (SELECT DISTINCT _drop_id, _source_file FROM ${quoteName(rows)}),
    places AS (SELECT NULL::VARCHAR AS _drop_id, NULL::INTEGER AS place WHERE false
      ${values.length > 0 ? `UNION ALL VALUES ${values.join(', ')}` : ''}),
    numbered AS (
      SELECT files.*, row_number() OVER (ORDER BY coalesce(place, -1), _source_file, _drop_id) AS _newest
      FROM files LEFT JOIN places USING (_drop_id)
    )
    SELECT every.*, _newest FROM ${quoteName(rows)} AS every JOIN numbered USING (_drop_id, _source_file)`);
}
