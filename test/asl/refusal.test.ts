import { describe, expect, test } from 'vitest';
import { InvalidMachine } from '../../src/asl/errors.ts';
import type { Finding } from '../../src/asl/errors.ts';
import { parseMachine } from '../../src/asl/machine.ts';
import type { Json } from '../../src/data/json.ts';
import { invoke, machineOf } from './run.ts';

type Fields = { [name: string]: Json };

function findings(definition: Json): readonly Finding[] {
  try {
    parseMachine(definition);
    return [];
  } catch (error) {
    if (error instanceof InvalidMachine) return error.findings;
    throw error;
  }
}

const found = (definition: Json) => findings(definition).map(({ pointer, message }) => `${pointer}: ${message}`);

const pass: Fields = { Type: 'Pass', End: true };
const flow: Fields = { StartAt: 'Inner', States: { Inner: pass } };
const map = (rest: Fields = {}, config?: Fields): Fields => ({
  Type: 'Map',
  ItemProcessor: { ...flow, ...(config === undefined ? {} : { ProcessorConfig: config }) },
  End: true,
  ...rest,
});
const distributed = (rest: Fields = {}): Fields => map(rest, { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
const listing: Fields = { Resource: 'arn:aws:states:::s3:listObjectsV2', Arguments: { Bucket: 'b' } };
const object: Fields = {
  Resource: 'arn:aws:states:::s3:getObject',
  Arguments: { Bucket: 'b', Key: 'k' },
  ReaderConfig: { InputType: 'JSON' },
};

describe('a field that nobody knows is refused by name, wherever it stands', () => {
  const retry = { ErrorEquals: ['E'] };
  const catcher = { ErrorEquals: ['E'], Next: 'Other' };
  const rule = { Condition: true, Next: 'Other' };
  const other: Fields = { Other: { Type: 'Succeed' } };
  const x: Fields = { Surprise: 1 };
  test.each<[string, Json, string]>([
    ['the machine', { ...(machineOf({ A: pass }) as Fields), ...x }, '/Surprise'],
    ['Pass', machineOf({ A: { ...pass, ...x } }), '/States/A/Surprise'],
    ['Task', machineOf({ A: invoke(x) }), '/States/A/Surprise'],
    ['Choice', machineOf({ A: { Type: 'Choice', Choices: [rule], ...x }, ...other }), '/States/A/Surprise'],
    [
      'a rule',
      machineOf({ A: { Type: 'Choice', Choices: [{ ...rule, ...x }] }, ...other }),
      '/States/A/Choices/0/Surprise',
    ],
    ['Wait', machineOf({ A: { Type: 'Wait', Seconds: 1, End: true, ...x } }), '/States/A/Surprise'],
    ['Succeed', machineOf({ A: { Type: 'Succeed', ...x } }), '/States/A/Surprise'],
    ['Fail', machineOf({ A: { Type: 'Fail', ...x } }), '/States/A/Surprise'],
    ['Parallel', machineOf({ A: { Type: 'Parallel', Branches: [flow], End: true, ...x } }), '/States/A/Surprise'],
    [
      'a branch',
      machineOf({ A: { Type: 'Parallel', Branches: [{ ...flow, ...x }], End: true } }),
      '/States/A/Branches/0/Surprise',
    ],
    ['Map', machineOf({ A: map(x) }), '/States/A/Surprise'],
    ['ItemProcessor', machineOf({ A: map({ ItemProcessor: { ...flow, ...x } }) }), '/States/A/ItemProcessor/Surprise'],
    [
      'ProcessorConfig',
      machineOf({ A: map({}, { Mode: 'INLINE', ...x }) }),
      '/States/A/ItemProcessor/ProcessorConfig/Surprise',
    ],
    [
      'ItemReader',
      machineOf({ A: distributed({ ItemReader: { ...listing, ...x } }) }),
      '/States/A/ItemReader/Surprise',
    ],
    [
      'ReaderConfig',
      machineOf({ A: distributed({ ItemReader: { ...listing, ReaderConfig: x } }) }),
      '/States/A/ItemReader/ReaderConfig/Surprise',
    ],
    [
      'ItemBatcher',
      machineOf({ A: distributed({ ItemBatcher: { MaxItemsPerBatch: 2, ...x } }) }),
      '/States/A/ItemBatcher/Surprise',
    ],
    [
      'ResultWriter',
      machineOf({ A: distributed({ ResultWriter: { WriterConfig: {}, ...x } }) }),
      '/States/A/ResultWriter/Surprise',
    ],
    [
      'WriterConfig',
      machineOf({ A: distributed({ ResultWriter: { WriterConfig: x } }) }),
      '/States/A/ResultWriter/WriterConfig/Surprise',
    ],
    ['a retrier', machineOf({ A: invoke({ Retry: [{ ...retry, ...x }] }) }), '/States/A/Retry/0/Surprise'],
    ['a catcher', machineOf({ A: invoke({ Catch: [{ ...catcher, ...x }] }), ...other }), '/States/A/Catch/0/Surprise'],
    [
      'a state inside',
      machineOf({ A: map({ ItemProcessor: { StartAt: 'B', States: { B: { ...pass, ...x } } } }) }),
      '/States/A/ItemProcessor/States/B/Surprise',
    ],
  ])('%s', (_place, definition, pointer) => {
    expect(found(definition)).toEqual([`${pointer}: Field 'Surprise' is not supported.`]);
  });

  test('Assign in a state after which nothing comes', () => {
    expect(found(machineOf({ A: { Type: 'Succeed', Assign: { a: 1 } } }))).toEqual([
      "/States/A/Assign: Field 'Assign' is not supported.",
    ]);
  });

  test('a field of the other query language, in the words of AWS', () => {
    const words = (is: string, name: string, other: string) =>
      `The QueryLanguage is set to '${is}', but field '${name}' is only supported for the '${other}' QueryLanguage`;
    expect(found(machineOf({ A: { ...pass, InputPath: '$' } }))).toEqual([
      `/States/A/InputPath: ${words('JSONata', 'InputPath', 'JSONPath')}`,
    ]);
    expect(found({ StartAt: 'A', States: { A: { ...pass, Output: 1 } } })).toEqual([
      `/States/A/Output: ${words('JSONPath', 'Output', 'JSONata')}`,
    ]);
  });
});

describe('an integration that nobody knows is refused by name', () => {
  test.each([
    'arn:aws:states:::dynamodb:getItem',
    'arn:aws:states:::lambda:invoke.sync',
    'arn:aws:states:::states:startExecution.sync',
    'arn:aws:states:::sagemaker:createTrainingJob',
    'arn:aws:states:::aws-sdk:s3:getObject',
    'arn:aws:states:eu-west-1:000000000000:activity:a',
    'arn:aws:lambda:eu-west-1:000000000000:layer:l',
  ])('%s', (Resource) => {
    const [finding] = findings(machineOf({ A: { Type: 'Task', Resource, Arguments: {}, End: true } }));
    expect(finding.pointer).toBe('/States/A/Resource');
    expect(finding.message).toContain(`The resource '${Resource}' is not supported`);
  });

  test.each<[string, Fields]>([
    ['arn:aws:states:::lambda:invoke.waitForTaskToken', { FunctionName: 'f', Payload: {} }],
    ['arn:aws:states:::states:startExecution', { StateMachineArn: 'm' }],
    ['arn:aws:states:::states:startExecution.sync:2', { StateMachineArn: 'm', Input: {}, Name: 'n' }],
    ['arn:aws:states:::events:putEvents', { Entries: [] }],
    ['arn:aws:states:::events:putEvents.waitForTaskToken', { Entries: [] }],
    ['arn:aws:states:::sns:publish', { TopicArn: 't', Message: 'm' }],
    ['arn:aws:states:::sns:publish.waitForTaskToken', { TopicArn: 't', Message: 'm' }],
    ['arn:aws:lambda:eu-west-1:000000000000:function:f:alias', { anything: 1 }],
    ['${someArn}', { anything: 1 }],
  ])('%s is known', (Resource, Arguments) => {
    expect(found(machineOf({ A: { Type: 'Task', Resource, Arguments, End: true } }))).toEqual([]);
  });

  test('a parameter that the integration does not have, and one that it needs', () => {
    expect(found(machineOf({ A: invoke({ Arguments: { Function: 'f' } }) }))).toEqual([
      '/States/A/Arguments/Function: The field "Function" is not supported by Step Functions',
      '/States/A/Arguments: The field "FunctionName" is required but was missing',
    ]);
  });
});

describe('a machine that could not run is refused', () => {
  test.each<[string, Json, string[]]>([
    ['no object', [], [': Expected an object but found an array.']],
    ['nothing in it', {}, [": Missing required field 'StartAt'.", ": Missing required field 'States'."]],
    [
      'a state that leads nowhere',
      machineOf({ A: { Type: 'Pass', Next: 'B' }, C: pass }),
      ["/States/A/Next: Missing 'Next' target: B", '/States/C: State "C" is not reachable.'],
    ],
    ['no end', machineOf({ A: { Type: 'Pass', Next: 'A' } }), ['/States: Workflow has no terminal state']],
    [
      'a start that is no state',
      { ...(machineOf({ A: pass }) as Fields), StartAt: 'B' },
      ["/StartAt: Missing 'Next' target: B", '/States/A: State "A" is not reachable.'],
    ],
    [
      'both Next and End',
      machineOf({ A: { ...pass, Next: 'B' }, B: pass }),
      ["/States/A: Expected either 'Next' or 'End': true."],
    ],
    ['neither Next nor End', machineOf({ A: { Type: 'Pass' } }), ["/States/A: Expected either 'Next' or 'End': true."]],
    [
      'an unknown type',
      machineOf({ A: { Type: 'Loop', End: true } }),
      ["/States/A/Type: Expected one of Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait but found 'Loop'."],
    ],
    [
      'a name given twice',
      machineOf({ A: map({ ItemProcessor: { StartAt: 'A', States: { A: pass } } }) }),
      ['/States/A/ItemProcessor/States/A: Duplicate State name: A'],
    ],
    [
      'States.ALL among others',
      machineOf({ A: invoke({ Retry: [{ ErrorEquals: ['States.ALL', 'E'] }] }) }),
      ['/States/A/Retry/0/ErrorEquals: States.ALL must appear alone and at end of list'],
    ],
    [
      'States.ALL before others',
      machineOf({ A: invoke({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }) }),
      ['/States/A/Retry/0/ErrorEquals: States.ALL must appear alone and at end of list'],
    ],
    [
      'a heartbeat as long as the timeout',
      machineOf({ A: invoke({ TimeoutSeconds: 5, HeartbeatSeconds: 5 }) }),
      ['/States/A/HeartbeatSeconds: HeartbeatSeconds must be smaller than TimeoutSeconds, 5.'],
    ],
    [
      'a timeout of no time',
      machineOf({ A: invoke({ TimeoutSeconds: 0 }) }),
      ['/States/A/TimeoutSeconds: Expected an integer between 1 and 99999999 but found 0.'],
    ],
    [
      'a backoff that shrinks',
      machineOf({ A: invoke({ Retry: [{ ErrorEquals: ['E'], BackoffRate: 0.5 }] }) }),
      ['/States/A/Retry/0/BackoffRate: Expected a number not below 1 but found 0.5.'],
    ],
    [
      'a cap below the interval',
      machineOf({ A: invoke({ Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 9, MaxDelaySeconds: 9 }] }) }),
      ['/States/A/Retry/0/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, 9.'],
    ],
    [
      'an unknown jitter',
      machineOf({ A: invoke({ Retry: [{ ErrorEquals: ['E'], JitterStrategy: 'HALF' }] }) }),
      ["/States/A/Retry/0/JitterStrategy: Expected 'NONE' or 'FULL' but found \"HALF\"."],
    ],
    [
      'half an expression',
      machineOf({ A: { ...pass, Output: { a: ['{% 1'] } } }),
      [
        "/States/A/Output/a/0: INVALID_JSONATA_EXPRESSION: A JSONata expression must begin with '{%' and end with '%}'.",
      ],
    ],
    [
      'a result where there is none',
      machineOf({ A: { ...pass, Output: '{% $states.result %}' } }),
      ["/States/A/Output: INVALID_JSONATA_EXPRESSION: Field '$states.result' does not exist."],
    ],
    [
      'a variable of an outer scope',
      machineOf({
        A: map({ Assign: { v: 1 }, ItemProcessor: { StartAt: 'B', States: { B: { ...pass, Assign: { v: 2 } } } } }),
      }),
      ["/States/A/ItemProcessor/States/B/Assign/v: The variable name 'v' was already defined in a parent scope."],
    ],
    [
      'a variable called states',
      machineOf({ A: { ...pass, Assign: { states: 1 } } }),
      ["/States/A/Assign/states: 'states' cannot be the name of a variable."],
    ],
    [
      'JSONPath inside a JSONata machine',
      machineOf({ A: { ...pass, QueryLanguage: 'JSONPath' } }),
      ["/States/A/QueryLanguage: A machine whose QueryLanguage is 'JSONata' cannot have states in 'JSONPath'."],
    ],
    [
      'a JSONPath Map',
      { StartAt: 'A', States: { A: map() } },
      ["/States/A/Type: A Map state in JSONPath is not supported: set the QueryLanguage to 'JSONata'."],
    ],
    [
      'a JSONPath filter',
      { StartAt: 'A', States: { A: { ...pass, OutputPath: '$.a[?(@.b)]' } } },
      [
        "/States/A/OutputPath: '$.a[?(@.b)]' is not a reference path: filters, wildcards, slices and intrinsic functions are not supported, use JSONata.",
      ],
    ],
    [
      'an intrinsic function',
      { StartAt: 'A', States: { A: { ...pass, Parameters: { 'a.$': 'States.UUID()' } } } },
      [
        "/States/A/Parameters/a.$: 'States.UUID()' is not a reference path: filters, wildcards, slices and intrinsic functions are not supported, use JSONata.",
      ],
    ],
    [
      'a timestamp on the 30th of February',
      machineOf({ A: { Type: 'Wait', Timestamp: '2026-02-30T00:00:00Z', End: true } }),
      ['/States/A/Timestamp: Expected an RFC 3339 timestamp but found "2026-02-30T00:00:00Z".'],
    ],
    [
      'a Wait for nothing',
      machineOf({ A: { Type: 'Wait', End: true } }),
      ["/States/A: Expected either 'Seconds' or 'Timestamp'."],
    ],
    [
      'no rule',
      machineOf({ A: { Type: 'Choice', Choices: [], Default: 'B' }, B: pass }),
      ['/States/A/Choices: Expected an array of at least one rule.'],
    ],
    [
      'express children',
      machineOf({ A: map({}, { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }) }),
      ['/States/A/ItemProcessor/ProcessorConfig/ExecutionType: Expected \'STANDARD\' but found "EXPRESS".'],
    ],
    [
      'CSV items',
      machineOf({ A: distributed({ ItemReader: { ...object, ReaderConfig: { InputType: 'CSV' } } }) }),
      ["/States/A/ItemReader/ReaderConfig/InputType: Expected 'JSON' or 'JSONL' but found \"CSV\"."],
    ],
    [
      'Items beside an ItemReader',
      machineOf({ A: distributed({ ItemReader: object, Items: [1] }) }),
      ["/States/A/ItemReader: Expected either 'Items' or 'ItemReader'."],
    ],
    [
      'a Label with white space',
      machineOf({ A: distributed({ Label: 'a b' }) }),
      [
        '/States/A/Label: A Label has at most 40 characters, and neither white space nor wildcards, brackets or :;,|^~$#%&',
      ],
    ],
    [
      'a reader of an inline Map',
      machineOf({ A: map({ ItemReader: object }) }),
      ["/States/A/ItemReader: Field 'ItemReader' is only supported where ProcessorConfig has the Mode 'DISTRIBUTED'."],
    ],
    [
      'more than all of the items tolerated',
      machineOf({ A: distributed({ ToleratedFailurePercentage: 101 }) }),
      ['/States/A/ToleratedFailurePercentage: Expected a number between 0 and 100 but found 101.'],
    ],
  ])('%s', (_title, definition, expected) => {
    expect(found(definition)).toEqual(expected);
  });

  test('with everything that is wrong at once, and where', () => {
    const definition = machineOf({
      'A/B': { Type: 'Pass', Surprise: 1, Next: 'Nowhere' },
      C: { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', End: true },
    });
    expect(() => parseMachine(definition)).toThrow(
      [
        'the state machine is refused, 4 findings:',
        "  /States/A~1B/Surprise: Field 'Surprise' is not supported.",
        "  /States/C/Resource: The resource 'arn:aws:states:::sqs:sendMessage' is not supported",
      ].join('\n'),
    );
  });
});
