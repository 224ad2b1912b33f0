import type { Json } from '../data/json.ts';
import { StateFailure } from './errors.ts';
import { isObject } from './fields.ts';
import type { Lane } from './lane.ts';
import type { ListedObject, MapObjects } from './objects.ts';
import type { StateFields } from './state-fields.ts';
import { EvaluationFailure } from './template.ts';
import type { Template } from './template.ts';

/** Where a distributed Map's items are: the evaluated arguments of its ItemReader. */
export type ItemSource = { kind: 'listing' | 'JSON' | 'JSONL'; bucket: string; key: string; maxItems: number };

/** The definition of an ItemReader. */
export type ItemReader = { kind: ItemSource['kind']; given: Template | undefined; maxItems: Template | undefined };

const listing = 'arn:aws:states:::s3:listObjectsV2';
const object = 'arn:aws:states:::s3:getObject';

/** Reads `ItemReader`; undefined where the Map has none. */
export function readItemReader(state: StateFields): ItemReader | undefined {
  const reader = state.object('ItemReader');
  if (reader === undefined) return undefined;
  const { fields } = reader;
  const resource = fields.requiredText('Resource');
  if (resource !== undefined && resource !== listing && resource !== object) {
    fields.refuse('Resource', `The resource '${resource}' is not supported: known are ${listing} and ${object}.`);
  }
  const lists = resource === listing;
  const given = readPlace(reader, lists ? ['Bucket'] : ['Bucket', 'Key'], lists ? ['Prefix'] : []);
  const config = reader.object('ReaderConfig');
  if (!lists) {
    config?.fields.required('InputType');
    if (config === undefined) fields.required('ReaderConfig');
  }
  const inputType = lists ? undefined : config?.fields.choice('InputType', ['JSON', 'JSONL']);
  const maxItems = config?.integer('MaxItems', 0, mostItems);
  config?.end();
  reader.end();
  return { kind: inputType ?? 'listing', given, maxItems };
}

/** AWS's bound on MaxItems. */
const mostItems = 100_000_000;

/** Reads `Arguments` that say a place in S3: an object of known fields, or an expression. */
export function readPlace(part: StateFields, required: readonly string[], optional: readonly string[]) {
  const { fields } = part;
  const given = fields.take('Arguments');
  if (given === undefined) fields.required('Arguments');
  const names = isObject(given) ? Object.keys(given) : [];
  for (const name of names.filter((name) => ![...required, ...optional].includes(name))) {
    fields.refuseIn('Arguments', name, `The field "${name}" is not supported by Step Functions`);
  }
  for (const name of isObject(given) ? required.filter((name) => !names.includes(name)) : []) {
    fields.refuse('Arguments', `The field "${name}" is required but was missing`);
  }
  return part.payload('Arguments');
}

/** Evaluates the arguments of an ItemReader. */
export async function itemSourceOf(lane: Lane, { kind, given, maxItems }: ItemReader): Promise<ItemSource> {
  const place = await placeOf(lane, given, 'ItemReader', kind === 'listing' ? 'Prefix' : 'Key');
  const most = maxItems === undefined ? 0 : await lane.evaluateTyped(maxItems, 'number');
  return { kind, ...place, maxItems: most };
}

/** A place in S3: a bucket and, under one of the names, a key or prefix. */
export async function placeOf(
  lane: Lane,
  given: Template | undefined,
  field: string,
  keyName: string,
): Promise<{ bucket: string; key: string }> {
  const value = given === undefined ? {} : await lane.evaluate(given);
  return lane.guard(() => {
    const { Bucket: bucket, [keyName]: key = '' } = isObject(value) ? value : {};
    if (typeof bucket === 'string' && typeof key === 'string') return { bucket, key };
    const wanted = `an object whose Bucket and ${keyName} are strings`;
    throw new EvaluationFailure(
      `The ${field}/Arguments field must be ${wanted} but was: ${JSON.stringify(value)}`,
      `${field}/Arguments`,
    );
  });
}

/** Reads the items. Throws States.ItemReaderFailed as a `StateFailure`. */
export async function readItems(source: ItemSource, objects: MapObjects): Promise<Json[]> {
  const { maxItems } = source;
  if (maxItems < 0) throw failed('field MaxItems must be positive');
  const items = source.kind === 'listing' ? await listItems(source, objects) : await itemsInObject(source, objects);
  return maxItems === 0 ? items : items.slice(0, maxItems);
}

/** The item's origin, as the context object tells it. */
export const sourceName = ({ kind, bucket, key }: ItemSource): string =>
  kind === 'listing' ? `s3://${bucket}` : `s3://${bucket}/${key}`;

async function listItems({ bucket, key }: ItemSource, objects: MapObjects): Promise<Json[]> {
  const listed = await orFailed(objects.list(bucket, key));
  if (listed === undefined) throw failed('The specified bucket does not exist');
  return listed.map(listedItem);
}

const listedItem = ({ key, sizeBytes, etag, lastModifiedMs }: ListedObject): Json => ({
  Etag: `"${etag}"`,
  Key: key,
  LastModified: Math.floor(lastModifiedMs / 1000),
  Size: sizeBytes,
  StorageClass: 'STANDARD',
});

async function itemsInObject({ kind, bucket, key }: ItemSource, objects: MapObjects): Promise<Json[]> {
  const bytes = await orFailed(objects.get(bucket, key));
  if (bytes === undefined) throw failed('The specified key does not exist.');
  const text = new TextDecoder().decode(bytes);
  if (kind === 'JSONL') return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [parsed(line, key)]));
  const value = parsed(text, key);
  if (!Array.isArray(value)) throw failed('Attempting to map over non-iterable node.');
  return value;
}

function parsed(text: string, key: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw failed(`The object ${key} is not valid JSON.`);
  }
}

async function orFailed<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw failed((error as Error).message);
  }
}

const failed = (cause: string) => new StateFailure('States.ItemReaderFailed', cause);
