import { describe, expect, test } from 'vitest';
import { TaskError } from '../../src/asl/errors.ts';
import type { TaskCall, TaskRunner } from '../../src/asl/tasks.ts';
import type { Json } from '../../src/data/json.ts';
import { MemoryObjects } from './map-objects.ts';
import { invoke, machineOf, run } from './run.ts';

type Fields = { [name: string]: Json };

/** A distributed Map whose children invoke a function with their input and return its payload. */
function distributed(rest: Fields = {}): Json {
  const work = invoke({
    Arguments: { FunctionName: 'f', Payload: '{% $states.input %}' },
    Output: '{% $states.result.Payload %}',
  });
  return machineOf({
    Each: {
      Type: 'Map',
      Label: 'Each',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Work',
        States: { Work: work },
      },
      End: true,
      ...rest,
    },
  });
}

const payloadOf = ({ arguments: given }: TaskCall) => (given as { Payload: Json }).Payload;

/** Returns the payload unless it is one of those that fail. */
const echo =
  (fails: (payload: Json) => boolean = () => false): TaskRunner =>
  async (call) => {
    const payload = payloadOf(call);
    if (fails(payload)) throw new TaskError('Broken', `item ${JSON.stringify(payload)}`);
    return { Payload: payload };
  };

const exceeded = {
  error: 'States.ExceedToleratedFailureThreshold',
  cause: 'The specified tolerated failure threshold was exceeded',
};

describe('a Map Run bears as many failed items as it tolerates', () => {
  test.each<[string, number, Fields, number, string]>([
    ['by count, one below', 10_000, { ToleratedFailureCount: 100 }, 99, 'SUCCEEDED'],
    ['by count, exactly', 10_000, { ToleratedFailureCount: 100 }, 100, 'SUCCEEDED'],
    ['by count, one above', 10_000, { ToleratedFailureCount: 100 }, 101, 'FAILED'],
    ['by percentage, one below', 1000, { ToleratedFailurePercentage: 1.5 }, 14, 'SUCCEEDED'],
    ['by percentage, exactly', 1000, { ToleratedFailurePercentage: 1.5 }, 15, 'SUCCEEDED'],
    ['by percentage, one above', 1000, { ToleratedFailurePercentage: 1.5 }, 16, 'FAILED'],
    ['by both, the stricter one above', 10, { ToleratedFailurePercentage: 50, ToleratedFailureCount: 1 }, 2, 'FAILED'],
    ['by a count alone, all of them', 10, { ToleratedFailureCount: 10 }, 10, 'SUCCEEDED'],
    ['by none, not even one', 10, {}, 1, 'FAILED'],
  ])('22. %s of %i', async (_title, count, tolerance, failing, status) => {
    const tasks = echo((payload) => (payload as number) < failing);
    const execution = await run(distributed({ Items: `{% [0..${count - 1}] %}`, MaxConcurrency: 500, ...tolerance }), {
      tasks,
    });
    const rest = Array.from({ length: count - failing }, (_, index) => index + failing);
    // What failed contributes nothing to the output, the rest keeps its order.
    expect(execution).toMatchObject(status === 'FAILED' ? { status, ...exceeded } : { status, output: rest });
  });
});

describe('a Map Run', () => {
  test('runs no more children at once than MaxConcurrency says', async () => {
    let running = 0;
    let most = 0;
    const tasks: TaskRunner = async (call) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return { Payload: payloadOf(call) };
    };
    const { output } = await run(distributed({ Items: '{% [1..20] %}', MaxConcurrency: 3 }), { tasks });
    expect({ most, output }).toEqual({ most: 3, output: Array.from({ length: 20 }, (_, index) => index + 1) });
  });

  test('gives its children executions of their own, without the variables around them', async () => {
    const work = {
      Type: 'Pass',
      Output: {
        seen: '{% $exists($secret) %}',
        execution: '{% $states.context.Execution %}',
        machine: '{% $states.context.StateMachine %}',
      },
      End: true,
    };
    const processor = {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'In',
      States: { In: work },
    };
    const machine = machineOf({
      Set: { Type: 'Pass', Assign: { secret: 1 }, Next: 'Each' },
      Each: { Type: 'Map', Items: ['a'], Label: 'Few', ItemProcessor: processor, End: true },
    });
    const { output } = await run(machine);
    const prefix = 'arn:aws:states:local:000000000000';
    expect(output).toEqual([
      {
        seen: false,
        execution: {
          Id: `${prefix}:execution:machine/Few:id-3`,
          Input: 'a',
          StartTime: '2026-01-01T00:00:00.000Z',
          Name: 'id-3',
          RoleArn: 'arn:aws:iam::000000000000:role/machine',
          RedriveCount: 0,
        },
        machine: { Id: `${prefix}:stateMachine:machine/Few`, Name: 'machine/Few' },
      },
    ]);
  });

  test('tells of the events of its children with their place in it', async () => {
    const told: string[] = [];
    await run(distributed({ Items: ['a', 'b'], MaxConcurrency: 1 }), {
      tasks: echo(),
      name: 'whole',
      onEvent: ({ id, previousEventId, type }, { executionName, state, within }) => {
        const place = within.map(({ state, index, of }) => `${state} ${index + 1}/${of}`).join();
        told.push(`${executionName} ${place} ${id}<${previousEventId} ${state ?? ''} ${type}`);
      },
    });
    expect(told.filter((line) => !line.startsWith('whole'))).toEqual(
      ['id-2 Each 1/2', 'id-3 Each 2/2'].flatMap((child) => [
        `${child} 1<0  ExecutionStarted`,
        `${child} 2<0 Work TaskStateEntered`,
        `${child} 3<2 Work TaskScheduled`,
        `${child} 4<3 Work TaskStarted`,
        `${child} 5<4 Work TaskSucceeded`,
        `${child} 6<5 Work TaskStateExited`,
        `${child} 7<6  ExecutionSucceeded`,
      ]),
    );
  });
});

describe('an ItemReader', () => {
  const source = '{% $states.context.Map.Item.Source & "#" & $states.context.Map.Item.Index %}';
  const reading = (reader: Fields, rest: Fields = {}) => distributed({ ItemReader: reader, ...rest });
  const object = (type: string, key: string, config: Fields = {}): Fields => ({
    Resource: 'arn:aws:states:::s3:getObject',
    Arguments: { Bucket: '{% $states.input.bucket %}', Key: key },
    ReaderConfig: { InputType: type, ...config },
  });
  const listing: Fields = { Resource: 'arn:aws:states:::s3:listObjectsV2', Arguments: { Bucket: 'in', Prefix: 'a/' } };
  const objects = () =>
    new MemoryObjects({
      in: {
        'a/1': 'x',
        'a/2': 'xy',
        'b/1': '',
        list: '[1, {"n": 2}, 3]',
        lines: '{"n": 1}\n\n{"n": 2}\n',
        one: '{"n": 1}',
        broken: '[1,',
      },
    });
  const input = { bucket: 'in' };

  test('lists the objects below a prefix', async () => {
    const { output, history } = await run(reading(listing), { input, objects: objects(), tasks: echo() });
    const item = (Key: string, Size: number) => ({
      Etag: `"e-${Key}"`,
      Key,
      LastModified: 1,
      Size,
      StorageClass: 'STANDARD',
    });
    expect(output).toEqual([item('a/1', 1), item('a/2', 2)]);
    // AWS does not know the number before the items are read.
    expect(history[2]).toMatchObject({ type: 'MapStateStarted', mapStateStartedEventDetails: { length: 0 } });
  });

  test.each<[string, Json, Json]>([
    ['the elements of a JSON array', reading(object('JSON', 'list')), [1, { n: 2 }, 3]],
    ['the lines of JSON Lines', reading(object('JSONL', 'lines')), [{ n: 1 }, { n: 2 }]],
    ['as many as MaxItems says', reading(object('JSON', 'list', { MaxItems: '{% 1 + 1 %}' })), [1, { n: 2 }]],
    ['all where MaxItems is 0', reading(object('JSON', 'list', { MaxItems: 0 })), [1, { n: 2 }, 3]],
    [
      'where an item is from',
      reading(object('JSON', 'list'), { ItemSelector: { s: source } }),
      [0, 1, 2].map((index) => ({ s: `s3://in/list#${index}` })),
    ],
    [
      'where a listed item is from',
      reading(listing, { ItemSelector: { s: source } }),
      [0, 1].map((index) => ({ s: `s3://in#${index}` })),
    ],
    [
      'where an item of the state is from',
      distributed({ Items: ['a'], ItemSelector: { s: source } }),
      [{ s: 'STATE_DATA#0' }],
    ],
  ])('gives %s', async (_title, machine, output) => {
    const execution = await run(machine, { input, objects: objects(), tasks: echo() });
    expect(execution.output).toEqual(output);
  });

  test.each([
    ['a value that is no array', 'one', {}, 'in', 'Attempting to map over non-iterable node.'],
    ['text that is no JSON', 'broken', {}, 'in', 'The object broken is not valid JSON.'],
    ['no object', 'nothing', {}, 'in', 'The specified key does not exist.'],
    ['a negative MaxItems', 'list', { MaxItems: '{% -1 %}' }, 'in', 'field MaxItems must be positive'],
  ])('fails on %s, which the Map may catch', async (_title, key, config, bucket, cause) => {
    const machine = reading(object('JSON', key, config));
    const execution = await run(machine, { input: { bucket }, objects: objects(), tasks: echo() });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed', cause });
    expect(execution.history.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapRunStarted',
      'MapRunFailed',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
  });

  test('needs objects to read', async () => {
    await expect(run(reading(listing), { tasks: echo() })).rejects.toThrow(`give 'objects' to execute it`);
  });
});

describe('an ItemBatcher', () => {
  test('hands on batches of a number of items, with what they have in common', async () => {
    const batcher = { MaxItemsPerBatch: '{% 2 %}', BatchInput: { run: '{% $states.input.run %}' } };
    const machine = distributed({ Items: [1, 2, 3], ItemBatcher: batcher });
    const { output } = await run(machine, { input: { run: 'r' }, tasks: echo() });
    const batch = (Items: number[]) => ({ BatchInput: { run: 'r' }, Items });
    expect(output).toEqual([batch([1, 2]), batch([3])]);
  });

  test('hands on batches of a number of bytes', async () => {
    // {"Items":["aa","aa"]} has 21 bytes.
    const items = Array.from({ length: 5 }, () => 'aa');
    const sizes = async (bytes: number) => {
      const machine = distributed({ Items: items, ItemBatcher: { MaxInputBytesPerBatch: bytes } });
      const { output } = await run(machine, { tasks: echo() });
      return (output as { Items: Json[] }[]).map(({ Items }) => Items.length);
    };
    expect(await sizes(21)).toEqual([2, 2, 1]);
    expect(await sizes(20)).toEqual([1, 1, 1, 1, 1]);
  });

  test('counts the failed items of a batch, not the batches', async () => {
    const rest = { Items: [1, 2, 3, 4], ItemBatcher: { MaxItemsPerBatch: 2 } };
    const tasks = echo((payload) => (payload as { Items: number[] }).Items.includes(1));
    const twice = await run(distributed({ ...rest, ToleratedFailureCount: 2 }), { tasks });
    const once = await run(distributed({ ...rest, ToleratedFailureCount: 1 }), { tasks });
    expect([twice.status, once.status]).toEqual(['SUCCEEDED', 'FAILED']);
  });
});

describe('a ResultWriter', () => {
  const exporting = (rest: Fields = {}): Fields => ({
    Resource: 'arn:aws:states:::s3:putObject',
    Arguments: { Bucket: 'out', Prefix: 'runs' },
    ...rest,
  });
  const runArn = 'arn:aws:states:local:000000000000:mapRun:machine/Each:id-2';

  test('writes what children did, and a manifest that says where', async () => {
    const objects = new MemoryObjects({ out: {} });
    const machine = distributed({ Items: [1, 2], ResultWriter: exporting(), ToleratedFailureCount: 1 });
    const { output } = await run(machine, { objects, tasks: echo((payload) => payload === 2) });
    const manifest = 'runs/id-2/manifest.json';
    expect(output).toEqual({ MapRunArn: runArn, ResultWriterDetails: { Bucket: 'out', Key: manifest } });

    const file = (kind: string) => {
      const Key = `runs/id-2/${kind}_0.json`;
      return [{ Key, Size: objects.buckets['out'][Key].length }];
    };
    expect(objects.json('out', manifest)).toEqual({
      DestinationBucket: 'out',
      MapRunArn: runArn,
      ResultFiles: { FAILED: file('FAILED'), PENDING: [], SUCCEEDED: file('SUCCEEDED') },
    });
    const common = {
      InputDetails: { Included: true },
      RedriveCount: 0,
      StartDate: '2026-01-01T00:00:00.000Z',
      StateMachineArn: 'arn:aws:states:local:000000000000:stateMachine:machine/Each',
      StopDate: '2026-01-01T00:00:00.000Z',
    };
    expect(objects.json('out', 'runs/id-2/SUCCEEDED_0.json')).toEqual([
      {
        ...common,
        ExecutionArn: 'arn:aws:states:local:000000000000:execution:machine/Each:id-3',
        Input: '1',
        Name: 'id-3',
        Output: '1',
        OutputDetails: { Included: true },
        RedriveStatus: 'NOT_REDRIVABLE',
        RedriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
        Status: 'SUCCEEDED',
      },
    ]);
    expect(objects.json('out', 'runs/id-2/FAILED_0.json')).toEqual([
      {
        ...common,
        Cause: 'item 2',
        Error: 'Broken',
        ExecutionArn: 'arn:aws:states:local:000000000000:execution:machine/Each:id-4',
        Input: '2',
        Name: 'id-4',
        RedriveStatus: 'REDRIVABLE',
        Status: 'FAILED',
      },
    ]);
  });

  test('also tells of a Map Run that failed, with the children it never ran', async () => {
    const objects = new MemoryObjects({ out: {} });
    const machine = distributed({ Items: [1, 2, 3], MaxConcurrency: 1, ResultWriter: exporting() });
    const { error } = await run(machine, { objects, tasks: echo((payload) => payload === 2) });
    expect(error).toBe('States.ExceedToleratedFailureThreshold');
    expect(Object.keys(objects.buckets['out'])).toEqual(
      ['FAILED_0', 'PENDING_0', 'SUCCEEDED_0', 'manifest'].map((name) => `runs/id-2/${name}.json`),
    );
  });

  test('writes outputs alone, flattened and as JSON Lines where it is told to', async () => {
    const objects = new MemoryObjects({ out: {} });
    const config = { WriterConfig: { Transformation: 'FLATTEN', OutputType: 'JSONL' } };
    await run(distributed({ Items: [[1, 2], 3], ResultWriter: exporting(config) }), { objects, tasks: echo() });
    expect(objects.buckets['out']['runs/id-2/SUCCEEDED_0.jsonl']).toBe('1\n2\n3\n');
  });

  test('transforms the state output where it exports nothing', async () => {
    const output = async (Transformation: string) => {
      const machine = distributed({ Items: [[1, 2], 3], ResultWriter: { WriterConfig: { Transformation } } });
      return (await run(machine, { tasks: echo() })).output;
    };
    expect(await output('COMPACT')).toEqual([[1, 2], 3]);
    expect(await output('FLATTEN')).toEqual([1, 2, 3]);
    expect(await output('NONE')).toMatchObject([{ Output: '[1,2]' }, { Output: '3' }]);
  });

  test('fails the Map where it cannot write', async () => {
    const machine = distributed({ Items: [1], ResultWriter: exporting() });
    const execution = await run(machine, { objects: new MemoryObjects({}), tasks: echo() });
    expect(execution).toMatchObject({
      error: 'States.ResultWriterFailed',
      cause: 'The specified bucket does not exist',
    });
  });
});
