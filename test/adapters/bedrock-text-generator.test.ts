import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BedrockTextGenerator } from '../../src/adapters/aws/bedrock-text-generator.ts';
import { type ConverseServer, type Reply, answer, startConverseServer } from '../contract/converse-server.ts';

const request = { system: 'Be kind.', user: '{"offer":{}}', maximumTokens: 200, temperature: 0.7 };
const sentences = ['One.', 'Two.', 'Three.'];
const tool = 'write_reason';

let server: ConverseServer;
let client: BedrockRuntimeClient;
let generator: BedrockTextGenerator;
beforeEach(async () => {
  server = await startConverseServer();
  client = new BedrockRuntimeClient({
    region: 'eu-west-1',
    endpoint: server.endpoint,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  generator = new BedrockTextGenerator({ client, modelId: 'eu.anthropic.claude-x:0' });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

describe('a request', () => {
  test('goes to the model, with the limits, and holds it to the tool', async () => {
    server.reply(() => ({ sentences, inputTokens: 311, outputTokens: 58 }));
    expect(await generator.generate(request)).toEqual({ sentences, inputTokens: 311, outputTokens: 58 });
    expect(server.requests).toMatchObject([
      {
        modelId: 'eu.anthropic.claude-x:0',
        system: [{ text: 'Be kind.' }],
        messages: [{ role: 'user', content: [{ text: '{"offer":{}}' }] }],
        inferenceConfig: { maxTokens: 200, temperature: 0.7 },
        toolConfig: { toolChoice: { tool: { name: tool } } },
      },
    ]);
    const [{ toolSpec }] = server.requests[0].toolConfig.tools;
    expect(toolSpec.inputSchema.json).toMatchObject({ required: ['sentences'], additionalProperties: false });
  });

  test('ends when its signal is aborted', async () => {
    server.reply(() => 'silence');
    const stop = new AbortController();
    const asking = generator.generate(request, stop.signal);
    stop.abort();
    await expect(asking).rejects.toMatchObject({ name: 'TextNotGenerated' });
  });

  test('what the model says beside the tool is not read', async () => {
    const said = answer({ sentences }, tool) as { output: { message: { content: object[] } } };
    said.output.message.content.unshift({ text: 'Sure! Here is the secret.' });
    server.reply(() => ({ body: said }));
    expect((await generator.generate(request)).sentences).toEqual(sentences);
  });
});

describe('an error', () => {
  test.each<[string, Reply, string]>([
    ['throttled', { status: 429, code: 'ThrottlingException' }, 'busy'],
    ['not ready', { status: 429, code: 'ModelNotReadyException' }, 'busy'],
    ['slow', { status: 408, code: 'ModelTimeoutException' }, 'busy'],
    ['overloaded', { status: 503, code: 'ServiceUnavailableException' }, 'busy'],
    ['broken', { status: 500, code: 'InternalServerException' }, 'busy'],
    ['disconnected', 'hang up', 'busy'],
    ['not allowed', { status: 403, code: 'AccessDeniedException' }, 'denied'],
    ['not there', { status: 404, code: 'ResourceNotFoundException' }, 'denied'],
    ['wrong', { status: 400, code: 'ValidationException' }, 'denied'],
  ])('of a service that is %s is %s', async (_, reply, why) => {
    server.reply(() => reply);
    await expect(generator.generate(request)).rejects.toMatchObject({ name: 'TextNotGenerated', why });
    expect(server.requests).toHaveLength(1);
  });

  test('names the model and what went wrong, and repeats no word of the service', async () => {
    server.reply(() => ({ status: 403, code: 'AccessDeniedException' }));
    const asking = generator.generate(request);
    await expect(asking).rejects.toThrow('The model eu.anthropic.claude-x:0 wrote no text (AccessDeniedException)');
    await expect(asking).rejects.not.toThrow('SECRET');
  });
});

describe('a malformed answer is refused', () => {
  const wellFormed = answer({ sentences }, tool) as Record<string, unknown>;
  const withInput = (input: unknown) =>
    ({
      ...wellFormed,
      output: { message: { role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: tool, input } }] } },
    }) as object;
  const called = (name: string) => answer({ sentences }, name);

  test.each<[string, unknown]>([
    [
      'plain text in place of the tool',
      { ...wellFormed, output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } }, stopReason: 'end_turn' },
    ],
    ['a tool call that was cut off', { ...wellFormed, stopReason: 'max_tokens' }],
    ['another tool', called('transfer_money')],
    ['no content', { ...wellFormed, output: { message: { role: 'assistant', content: [] } } }],
    ['no output', { stopReason: 'tool_use', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } }],
    ['more keys than asked for', withInput({ sentences, secret: 'x' })],
    ['one text in place of a list', withInput({ sentences: 'One. Two.' })],
    ['numbers in place of sentences', withInput({ sentences: [1, 2, 3] })],
    ['a hundred sentences', withInput({ sentences: Array.from({ length: 100 }, () => 'A.') })],
    ['a sentence without end', withInput({ sentences: ['a'.repeat(5000)] })],
    ['no input', withInput(null)],
    ['no count of tokens', { ...wellFormed, usage: undefined }],
  ])('%s', async (_, body) => {
    server.reply(() => ({ body }));
    await expect(generator.generate(request)).rejects.toMatchObject({ name: 'TextNotGenerated', why: 'malformed' });
  });

  test('JSON that is none', async () => {
    server.reply(() => ({ body: '{"output":' }));
    await expect(generator.generate(request)).rejects.toMatchObject({ name: 'TextNotGenerated' });
  });
});
