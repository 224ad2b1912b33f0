import { quoteName } from '../data/quote.ts';
import { ArgumentError, ensureSameRows } from '../ml/ensure.ts';
import type { Recommend } from '../usecase/recommend.ts';
import { channelValues, offerValues } from './values.ts';

/** The history of contacts, one entry each, in any order: `contactsQuery` makes it. */
export type Contacts = {
  /** Of the members that the policy is applied to, from 0. */
  rows: ArrayLike<number>;
  /** Indices into the declared offers and channels; −1 for one that is no longer declared, which only counts for its month. */
  offers: ArrayLike<number>;
  channels: ArrayLike<number>;
  /** Milliseconds since 1970. */
  atMs: ArrayLike<number>;
};

/** Contacts as the policy asks for them; days count from 1970 (UTC). */
export type ContactsByRow = {
  today: number;
  /** The day of the last contact by offer × channel; −Infinity for none. Valid until it is asked for another row. */
  lastDays(row: number): Float64Array;
  /** Contacts of each row in the calendar month of `asOfMs`, about whatever and by whatever channel. */
  thisMonth: Uint32Array;
};

const dayMs = 86_400_000;

/**
 * SQL that reads the contacts of `members` (with `_row`, counted from 1) out of a table with the key's column, `offer_id`,
 * `channel` and the timestamp `contacted_at`: the columns `row`, `offer`, `channel`, `at_ms` of `Contacts`. What is older than any
 * cooldown and the month of `asOfMs` is left out.
 *
 * What members of the holdout would have been sent belongs into that table as if it had been: else they would never cool down,
 * and would no longer compare with those who are contacted.
 */
export function contactsQuery(
  recommend: Recommend,
  { contacts, members, key, asOfMs }: { contacts: string; members: string; key: string; asOfMs: number },
): string {
  const longest = Math.max(...recommend.offers.map(({ cooldownDays }) => cooldownDays));
  const fromMs = Math.min(monthStartMs(asOfMs), (Math.floor(asOfMs / dayMs) - longest) * dayMs);
  return `SELECT m._row - 1 AS row, coalesce(o.i, -1)::INTEGER AS offer, coalesce(c.i, -1)::INTEGER AS channel,
    epoch_ms(h.contacted_at)::DOUBLE AS at_ms
  FROM ${quoteName(contacts)} AS h JOIN ${quoteName(members)} AS m USING (${quoteName(key)})
  LEFT JOIN ${offerValues(recommend)} USING (offer_id) LEFT JOIN ${channelValues(recommend)} USING (channel)
  WHERE epoch_ms(h.contacted_at) BETWEEN ${fromMs} AND ${asOfMs}`;
}

/** Sorts the history by row, in time and memory that grow with the contacts and not with all that could have been. */
export function contactsByRow(
  recommend: Recommend,
  { keys, contacts, asOfMs }: { keys: readonly string[]; contacts: Contacts; asOfMs: number },
): ContactsByRow {
  const { rows, offers, channels, atMs } = contacts;
  const { length } = rows;
  if (length > 0) ensureSameRows({ rows, offers, channels, atMs });
  const monthFrom = monthStartMs(asOfMs);
  const thisMonth = new Uint32Array(keys.length);

  // the contacts of a row lie together in `order`, from starts[row] to starts[row + 1]
  const starts = new Uint32Array(keys.length + 1);
  for (let i = 0; i < length; i++) {
    if (!(rows[i] >= 0 && rows[i] < keys.length))
      throw new ArgumentError(`Contact ${i} is with row ${rows[i]} of ${keys.length} rows.`);
    if (atMs[i] > asOfMs) continue;
    starts[rows[i] + 1]++;
    if (atMs[i] >= monthFrom) thisMonth[rows[i]]++;
  }
  for (let row = 0; row < keys.length; row++) starts[row + 1] += starts[row];
  const order = new Uint32Array(starts[keys.length]);
  const next = starts.slice();
  for (let i = 0; i < length; i++) if (atMs[i] <= asOfMs) order[next[rows[i]]++] = i;

  // one row's days at a time; those of the row before are wiped out
  const channelCount = Object.keys(recommend.consent).length;
  const lastDay = new Float64Array(recommend.offers.length * channelCount).fill(-Infinity);
  let touched = false;
  return {
    today: Math.floor(asOfMs / dayMs),
    thisMonth,
    lastDays(row) {
      if (touched) lastDay.fill(-Infinity);
      touched = starts[row + 1] > starts[row];
      for (let at = starts[row]; at < starts[row + 1]; at++) {
        const contact = order[at];
        if (offers[contact] < 0 || channels[contact] < 0) continue;
        const place = offers[contact] * channelCount + channels[contact];
        lastDay[place] = Math.max(lastDay[place], Math.floor(atMs[contact] / dayMs));
      }
      return lastDay;
    },
  };
}

function monthStartMs(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
}
