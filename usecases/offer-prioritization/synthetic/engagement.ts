import type { Random } from '../../../src/ml/random.ts';
import { offers } from '../offers.ts';
import type { Dirt } from './csv-bytes.ts';
import { count, countIn, exponential, secondIn } from './draws.ts';
import { dayMs, stretchesOf } from './months.ts';
import { type SourceWriter, dirtOf } from './source.ts';

const engagementDays = 365;

/** What members did on the six channels, from the channels' logs. */
export const engagement: SourceWriter = {
  header: [
    'event_id',
    'member_id',
    'occurred_at',
    'channel',
    'event_type',
    'response',
    'session_seconds',
    'offer_id',
    'received_at',
  ],
  write(csv, member, delivery, { dirtShare, seasonality }) {
    const of = { mean: 10, factor: Math.max(0.5, 1.5 - (member.age - 30) / 100), most: 100 };
    const preferred = preferredChannel(member.random.fork('channel'), member.age);
    const dirt = dirtOf(member, 'engagement', kinds, 'event_id');
    for (const { label, startMs, endMs } of stretchesOf(delivery, engagementDays)) {
      const draw = member.random.fork(`engagement ${label}`);
      const share = (endMs - startMs) / (engagementDays * dayMs);
      const events = label === '0' ? count(draw, of) : countIn(draw, of, share);
      for (let i = 1; i <= events; i++) {
        const occurredMs = secondIn(draw, startMs, endMs, seasonality);
        const receivedMs = Math.min(endMs - 1000, occurredMs + Math.floor(exponential(draw, 7200)) * 1000);
        const channel = draw.uniform() < 0.6 ? preferred : draw.choice(channels);
        const type = draw.choice(eventTypes[channel]);
        const isAnswered = draw.uniform() < 0.3;
        const sessionSeconds = Math.round(exponential(draw, 120));
        const offer = draw.choice(offers);
        if (receivedMs < delivery.startMs || receivedMs >= delivery.endMs) continue;

        const eventId = `EVT_${member.id.slice(4)}_${label}_${i}`;
        csv.begin(dirt(dirtShare, eventId));
        csv.text(eventId);
        csv.text(member.id);
        csv.second(occurredMs);
        csv.text(channel);
        csv.text(type);
        csv.boolean(isAnswered);
        if (channel === 'app' || channel === 'portal') csv.integer(sessionSeconds);
        else csv.missing();
        if (type === 'offer_view' || type === 'offer_click') csv.text(offer.id);
        else csv.missing();
        csv.second(receivedMs);
        csv.end();
      }
    }
  },
};

const eventTypes = {
  email: ['offer_view', 'offer_click', 'survey_complete'],
  app: ['app_open', 'offer_view', 'offer_click', 'content_view'],
  phone: ['appointment_schedule', 'survey_complete'],
  mail: ['offer_view', 'survey_complete'],
  portal: ['portal_login', 'offer_view', 'content_view', 'appointment_schedule'],
  sms: ['offer_view', 'offer_click', 'appointment_schedule'],
} as const;
type Channel = keyof typeof eventTypes;
const channels = Object.keys(eventTypes) as Channel[];

function preferredChannel(draw: Random, age: number): Channel {
  if (age < 30) return draw.weighted<Channel>(['app', 'sms'], [0.6, 0.4]);
  if (age < 50) return draw.weighted<Channel>(['app', 'email', 'portal'], [0.4, 0.35, 0.25]);
  if (age < 65) return draw.weighted<Channel>(['email', 'portal', 'phone'], [0.4, 0.3, 0.3]);
  return draw.weighted<Channel>(['phone', 'mail'], [0.6, 0.4]);
}

const kinds: readonly Dirt[] = [
  { rule: 'member_id.pattern', column: 'member_id', text: 'MEM_000001' },
  { rule: 'occurred_at.type', column: 'occurred_at', text: '01/31/2026 17:45' },
  { rule: 'channel_known', column: 'channel', text: 'fax' },
  { rule: 'event_type_known', column: 'event_type', text: 'page_scroll' },
  { rule: 'response.type', column: 'response', text: 'yes' },
  { rule: 'session_seconds.minimum', column: 'session_seconds', text: '-1' },
  { rule: 'received_after_occurred', column: 'received_at', text: '2001-01-01T00:00:00Z' },
  { rule: 'csv.fields', fields: 'fewer' },
];
