import type { Json } from '../data/json.ts';
import { StateFailure } from './errors.ts';
import { placeOf, readPlace } from './item-reader.ts';
import type { Lane } from './lane.ts';
import type { MapObjects } from './objects.ts';
import type { ChildExecution } from './progress.ts';
import { present } from './present.ts';
import { instant } from './scope.ts';
import type { StateFields } from './state-fields.ts';
import type { Template } from './template.ts';

type Transformation = 'NONE' | 'COMPACT' | 'FLATTEN';

/** The definition of a ResultWriter; without `given` nothing is exported. */
export type ResultWriter = {
  given: Template | undefined;
  transformation: Transformation;
  outputType: 'JSON' | 'JSONL';
};

const resource = 'arn:aws:states:::s3:putObject';

/** Reads `ResultWriter`; undefined where the Map has none. */
export function readResultWriter(state: StateFields): ResultWriter | undefined {
  const writer = state.object('ResultWriter');
  if (writer === undefined) return undefined;
  const { fields } = writer;
  const exporting = fields.text('Resource');
  if (exporting !== undefined && exporting !== resource) {
    fields.refuse('Resource', `The resource '${exporting}' is not supported: known is ${resource}.`);
  }
  const given = exporting === undefined ? undefined : readPlace(writer, ['Bucket'], ['Prefix']);
  const config = writer.object('WriterConfig');
  const transformation = config?.fields.choice('Transformation', ['NONE', 'COMPACT', 'FLATTEN']);
  const outputType = config?.fields.choice('OutputType', ['JSON', 'JSONL']);
  if (outputType === 'JSONL' && exporting === undefined) {
    config?.fields.refuse('OutputType', 'JSONL is only supported where the results are exported to S3.');
  }
  if (exporting === undefined && config === undefined) fields.required('WriterConfig');
  config?.end();
  writer.end();
  return { given, transformation: transformation ?? 'NONE', outputType: outputType ?? 'JSON' };
}

/** Where the results go. */
export type ResultPlace = { bucket: string; key: string };

/** Evaluates where a ResultWriter exports to; undefined where it does not. */
export const resultPlaceOf = async (lane: Lane, { given }: ResultWriter): Promise<ResultPlace | undefined> =>
  given === undefined ? undefined : placeOf(lane, given, 'ResultWriter', 'Prefix');

/** What a Map Run returns to its state: what the children that succeeded returned, transformed. */
export function resultOf(
  children: readonly ChildExecution[],
  writer: ResultWriter | undefined,
  stateMachineArn: string,
): Json {
  const succeeded = children.filter(({ status }) => status === 'SUCCEEDED');
  if (writer?.transformation === 'NONE') return children.map((child) => recordOf(child, stateMachineArn));
  const outputs = succeeded.map(({ output = null }) => output);
  return writer?.transformation === 'FLATTEN' ? outputs.flat() : outputs;
}

/**
 * Writes the results below `<prefix>/<id of the Map Run>/`, one file for each kind of end, and `manifest.json` last,
 * which says what there is. Throws States.ResultWriterFailed as a `StateFailure`.
 */
export async function exportResults(
  run: { arn: string; stateMachineArn: string; children: readonly ChildExecution[] },
  writer: ResultWriter,
  { bucket, key: prefix }: ResultPlace,
  objects: MapObjects,
): Promise<Json> {
  const folder = `${prefix === '' ? '' : `${prefix.replace(/\/$/u, '')}/`}${run.arn.slice(run.arn.lastIndexOf(':') + 1)}`;
  const put = async (name: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    try {
      await objects.put(bucket, `${folder}/${name}`, bytes);
    } catch (error) {
      throw new StateFailure('States.ResultWriterFailed', (error as Error).message);
    }
    return { Key: `${folder}/${name}`, Size: bytes.length };
  };
  const file = async (name: string, records: Json[]) => {
    if (records.length === 0) return [];
    const lines = records.map((record) => JSON.stringify(record));
    const text = writer.outputType === 'JSONL' ? lines.map((line) => `${line}\n`).join('') : `[${lines.join(',')}]`;
    return [await put(`${name}_0.${writer.outputType.toLowerCase()}`, text)];
  };

  const { FAILED, PENDING, SUCCEEDED } = Object.groupBy(run.children, ({ status }) =>
    status === 'SUCCEEDED' || status === 'PENDING' ? status : 'FAILED',
  );
  const records = (children: readonly ChildExecution[] = []) =>
    children.map((child) => recordOf(child, run.stateMachineArn));
  const succeeded =
    writer.transformation === 'NONE' ? records(SUCCEEDED) : resultOf(SUCCEEDED ?? [], writer, run.stateMachineArn);
  const manifest = {
    DestinationBucket: bucket,
    MapRunArn: run.arn,
    ResultFiles: {
      FAILED: await file('FAILED', records(FAILED)),
      PENDING: await file('PENDING', records(PENDING)),
      SUCCEEDED: await file('SUCCEEDED', succeeded as Json[]),
    },
  };
  const { Key } = await put('manifest.json', JSON.stringify(manifest));
  return { MapRunArn: run.arn, ResultWriterDetails: { Bucket: bucket, Key } };
}

/** A child execution with its metadata, as AWS exports it. */
function recordOf(child: ChildExecution, stateMachineArn: string): Json {
  const { status, output, error, cause, startMs, stopMs } = child;
  const succeeded = status === 'SUCCEEDED';
  return present({
    Cause: cause,
    Error: error,
    ExecutionArn: child.arn,
    Input: JSON.stringify(child.input),
    InputDetails: { Included: true },
    Name: child.name,
    Output: output === undefined ? undefined : JSON.stringify(output),
    OutputDetails: output === undefined ? undefined : { Included: true },
    RedriveCount: child.redriveCount,
    RedriveStatus: succeeded ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
    RedriveStatusReason: succeeded ? 'Execution is SUCCEEDED and cannot be redriven' : undefined,
    StartDate: startMs === undefined ? undefined : instant(startMs),
    StateMachineArn: stateMachineArn,
    Status: status,
    StopDate: stopMs === undefined ? undefined : instant(stopMs),
  });
}
