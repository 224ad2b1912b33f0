/**
 * What starts a machine: the rules over events and the schedules of each use case. The deployed EventBridge rules and schedules
 * and the embedded runtime's bus and clock are made from this file, so neither can be wired differently from the other.
 */
import { createHash } from 'node:crypto';
import type { Json } from './data/json.ts';
import type { MachineName } from './stages.ts';

/** The name under which the product's own events are published. */
export const eventSource = 'bordereau';

/** Where insurers drop their files: `drops/<use case>/<source>/<file>` in the bronze zone. */
export const dropPrefix = 'drops/';

/**
 * The run that a delivery starts: the object's key and content, and behind them the event's sequencer, for a key may come back to
 * an earlier content. What a sweep found has none. The machine `ingest` computes the same.
 */
export function dropRunId({ key, etag, sequencer = '' }: { key: string; etag: string; sequencer?: string }): string {
  const content = `drop-${sha256(`${key}#${etag}`).slice(0, 12)}`;
  return sequencer === '' ? content : `${content}-${sha256(sequencer).slice(0, 6)}`;
}

/** The use case that an event is about: what it says itself, or where its file lies. */
export function useCaseOfEvent(detail: { [key: string]: Json }): string | undefined {
  const { useCase, object } = detail as { useCase?: string; object?: { key: string } };
  return useCase ?? (object?.key.startsWith(dropPrefix) ? object.key.split('/')[1] : undefined);
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export type Rule = {
  name: string;
  /** Native S3 notifications arrive on the account's default bus, the product's own events on its own. */
  bus: 'default' | 'product';
  /** An EventBridge event pattern; `${bronzeBucket}` stands for the bucket's name. The machine's input is the event's `detail`. */
  pattern: { [key: string]: Json };
  starts: MachineName;
};

const own = (detailType: string, detail?: { [key: string]: Json }): { [key: string]: Json } => ({
  source: [eventSource],
  'detail-type': [detailType],
  ...(detail && { detail }),
});

export const rules: readonly Rule[] = [
  {
    name: 'DatasetArrived',
    bus: 'default',
    pattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: ['${bronzeBucket}'] }, object: { key: [{ prefix: dropPrefix }] } },
    },
    starts: 'ingest',
  },
  // what a sweep found in bronze without a trace of its event; events of AWS's own services cannot be published by others
  { name: 'DatasetFound', bus: 'product', pattern: own('DatasetFound'), starts: 'ingest' },
  // the first data of a use case train its first model; later data are scored daily and retrained on drift or by schedule
  {
    name: 'FirstFeaturesReady',
    bus: 'product',
    pattern: own('FeaturesReady', { hasChampion: [false], complete: [true] }),
    starts: 'train',
  },
  { name: 'RetrainRequested', bus: 'product', pattern: own('RetrainRequested'), starts: 'train' },
  { name: 'ModelTrained', bus: 'product', pattern: own('ModelTrained'), starts: 'govern' },
  // a version that its use case wants to see in shadow first scores the newest batch, and is judged again once enough is seen
  { name: 'ModelShadowed', bus: 'product', pattern: own('ModelShadowed'), starts: 'score' },
  { name: 'ShadowObserved', bus: 'product', pattern: own('ShadowObserved'), starts: 'govern' },
  { name: 'ModelPromoted', bus: 'product', pattern: own('ModelPromoted'), starts: 'score' },
  { name: 'ScoresPublished', bus: 'product', pattern: own('ScoresPublished'), starts: 'monitor' },
];

/** The part of a use case's declaration that schedules come from. */
export type Scheduled = {
  id: string;
  score: { at: string; timeZone: string };
  retrain: { at: string; timeZone: string };
};

export type Schedule = {
  name: string;
  /** Minute, hour, day of month, month, day of week; read in `timeZone`. */
  cron: string;
  timeZone: string;
  starts: MachineName;
  /** The machine's input but for `scheduledTime`, which the scheduler adds: the logical time, also when it fires late. */
  input: { useCase: string; cause: 'schedule' };
};

/** Daily inference and monthly retraining, as the use case declares them, and a look for files whose event was lost. */
export function schedulesOf(useCase: Scheduled): Schedule[] {
  const input = { useCase: useCase.id, cause: 'schedule' } as const;
  return [
    {
      name: `${useCase.id}-inference`,
      cron: useCase.score.at,
      timeZone: useCase.score.timeZone,
      starts: 'score',
      input,
    },
    {
      name: `${useCase.id}-retrain`,
      cron: useCase.retrain.at,
      timeZone: useCase.retrain.timeZone,
      starts: 'train',
      input,
    },
    { name: `${useCase.id}-sweep`, cron: '*/15 * * * *', timeZone: 'UTC', starts: 'sweep', input },
  ];
}
