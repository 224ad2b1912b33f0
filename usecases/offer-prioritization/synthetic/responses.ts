import type { Random } from '../../../src/ml/random.ts';
import { offers } from '../offers.ts';
import type { CsvBytes, Dirt } from './csv-bytes.ts';
import { exponential } from './draws.ts';
import type { Member } from './member.ts';
import { dayMs } from './months.ts';
import { type Reaction, reactionOf } from './reactions.ts';
import type { Sent } from './sent.ts';
import { type SourceWriter, dirtOf } from './source.ts';

/**
 * What members did with what the campaign system sent them, and what they did by themselves, of which it knows for everybody. `sent` is
 * by member.
 */
export function responsesTo(sent: ReadonlyMap<string, readonly Sent[]>): SourceWriter {
  return {
    header: ['response_id', 'recommendation_id', 'member_id', 'offer_id', 'outcome', 'occurred_at'],
    write(csv, member, { startMs, endMs, month }, { dirtShare }) {
      const dirt = dirtOf(member, 'responses', kinds, 'response_id');
      let number = 0;
      const record = (offerId: string, outcome: string, atMs: number, recommendationId?: string) => {
        // what happens later stands in a later delivery
        if (atMs >= endMs) return;
        const id = `RSP_${member.id.slice(4)}_${month}_${++number}`;
        writeRecord(csv, dirt(dirtShare, id), { id, recommendationId, memberId: member.id, offerId, outcome, atMs });
      };
      for (const [nth, { recommendationId, offerId, sentMs }] of (sent.get(member.id) ?? []).entries()) {
        // ids are those of a run, and another one with another: what is drawn follows the offers
        const draw = member.random.fork(`response in ${month} to ${nth} ${offerId}`);
        record(offerId, 'sent', sentMs, recommendationId);
        let atMs = sentMs;
        for (const step of stepsTaken(draw, reactionOf(member, offerId))) {
          atMs += Math.ceil(exponential(draw, 1.5 * dayMs));
          record(offerId, step, atMs, recommendationId);
        }
      }
      const alone = member.random.fork(`by themselves in ${month}`);
      for (const { id } of offers) {
        const isUsed = alone.uniform() < reactionOf(member, id).byThemselves;
        const atMs = startMs + Math.floor(alone.uniform() * (endMs - startMs));
        if (isUsed) record(id, 'responded', atMs);
      }
    },
  };
}

function stepsTaken(draw: Random, { opens, clicks, responds }: Reaction): string[] {
  if (draw.uniform() >= opens) return [];
  if (draw.uniform() >= clicks) return ['opened'];
  return draw.uniform() < responds ? ['opened', 'clicked', 'responded'] : ['opened', 'clicked'];
}

type Written = {
  id: string;
  recommendationId: string | undefined;
  memberId: Member['id'];
  offerId: string;
  outcome: string;
  atMs: number;
};

function writeRecord(csv: CsvBytes, dirt: Dirt | undefined, written: Written): void {
  csv.begin(dirt);
  csv.text(written.id);
  if (written.recommendationId === undefined) csv.missing();
  else csv.text(written.recommendationId);
  csv.text(written.memberId);
  csv.text(written.offerId);
  csv.text(written.outcome);
  csv.second(written.atMs);
  csv.end();
}

const kinds: readonly Dirt[] = [
  { rule: 'member_id.pattern', column: 'member_id', text: 'MEM_000001' },
  { rule: 'offer_id.pattern', column: 'offer_id', text: 'gym' },
  { rule: 'outcome_known', column: 'outcome', text: 'bounced' },
  { rule: 'occurred_at.type', column: 'occurred_at', text: '02/14/2026' },
  { rule: 'csv.fields', fields: 'fewer' },
];
