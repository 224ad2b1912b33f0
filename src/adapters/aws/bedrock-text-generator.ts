import {
  type BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  ConverseCommand,
  type ConverseCommandOutput,
  type Tool,
} from '@aws-sdk/client-bedrock-runtime';
import * as z from 'zod';
import {
  type GeneratedText,
  type TextGenerator,
  TextNotGenerated,
  type TextRequest,
} from '../../ports/text-generator.ts';

/**
 * Bedrock's Converse operation. The model is held to one tool, whose input is the closed form of an answer: whatever it writes
 * beside it is not read. Make the client with `maxAttempts: 1`: the caller repeats, on its own clock and within its cost cap.
 */
export class BedrockTextGenerator implements TextGenerator {
  readonly #client: BedrockRuntimeClient;
  readonly #modelId: string;

  constructor({ client, modelId }: { client: BedrockRuntimeClient; modelId: string }) {
    this.#client = client;
    this.#modelId = modelId;
  }

  async generate(
    { system, user, maximumTokens, temperature }: TextRequest,
    signal?: AbortSignal,
  ): Promise<GeneratedText> {
    const command = new ConverseCommand({
      modelId: this.#modelId,
      system: [{ text: system }],
      messages: [{ role: 'user', content: [{ text: user }] }],
      inferenceConfig: { maxTokens: maximumTokens, temperature },
      toolConfig: { tools: [tool], toolChoice: { tool: { name: toolName } } },
    });
    const output = await this.#client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      throw new TextNotGenerated(mayPass(error) ? 'busy' : 'denied', this.#modelId, nameOf(error));
    });
    const { sentences } = this.#answerIn(output);
    const { inputTokens, outputTokens } = output.usage ?? {};
    if (inputTokens === undefined || outputTokens === undefined)
      throw new TextNotGenerated('malformed', this.#modelId, 'no count of tokens');
    return { sentences, inputTokens, outputTokens };
  }

  #answerIn(output: ConverseCommandOutput): z.output<typeof answer> {
    const refuse = (reason: string): never => {
      throw new TextNotGenerated('malformed', this.#modelId, reason);
    };
    if (output.stopReason !== 'tool_use') return refuse(`it stopped by ${output.stopReason ?? 'nothing'}`);
    const calls = (output.output?.message?.content ?? []).filter((block) => block.toolUse !== undefined);
    if (calls.length !== 1) return refuse(`it called ${calls.length} tools`);
    if (calls[0].toolUse.name !== toolName) return refuse('it called a tool that there is not');
    const { data } = answer.safeParse(calls[0].toolUse.input);
    return data ?? refuse('its answer has another form');
  }
}

const toolName = 'write_reason';

const answer = z.strictObject({ sentences: z.array(z.string().min(1).max(400)).min(1).max(6) });

const tool: Tool = {
  toolSpec: {
    name: toolName,
    description: 'Takes the sentences for the member, one in each item.',
    inputSchema: {
      json: {
        type: 'object',
        properties: { sentences: { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 4 } },
        required: ['sentences'],
        additionalProperties: false,
      },
    },
  },
};

/** Throttling, an overloaded or failing service and a lost connection pass; a refusal does not. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof BedrockRuntimeServiceException)) return true;
  return error.$fault === 'server' || /Throttling|TooManyRequests|ModelTimeout|ModelNotReady/.test(error.name);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown reason';
}
