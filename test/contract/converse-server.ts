import { type ServerHttp2Session, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A request of Converse as it came over the wire. */
export type ConverseRequest = {
  modelId: string;
  system: { text: string }[];
  messages: { role: string; content: { text: string }[] }[];
  inferenceConfig: { maxTokens: number; temperature: number };
  toolConfig: {
    tools: { toolSpec: { name: string; inputSchema: { json: object } } }[];
    toolChoice: { tool: { name: string } };
  };
};

/** What the model says: the sentences of a well-formed answer, a whole body, an error, or nothing at all. */
export type Reply =
  | { sentences: string[]; inputTokens?: number; outputTokens?: number }
  | { body: unknown }
  | { status: number; code: string }
  | 'silence'
  | 'hang up';

/**
 * Bedrock's Converse over HTTP/2, as its client speaks it (REST JSON), with the rules of its API reference that matter here: the path names the model, a
 * conversation begins with the user, a tool that is asked for is declared. Loopback only.
 */
export type ConverseServer = {
  endpoint: string;
  /** In the order in which they came. */
  requests: ConverseRequest[];
  /** The most requests that were under way at once. */
  mostAtOnce: () => number;
  /** Decides every answer from now on; `n` counts requests from 0. */
  reply(with_: (request: ConverseRequest, n: number) => Reply | Promise<Reply>): void;
  close(): Promise<void>;
};

export async function startConverseServer(): Promise<ConverseServer> {
  const requests: ConverseRequest[] = [];
  let decide: (request: ConverseRequest, n: number) => Reply | Promise<Reply> = () => ({ sentences: [] });
  let [underWay, most] = [0, 0];

  const server = createServer((request, response) => {
    const send = (status: number, body: unknown, headers: { [name: string]: string } = {}) => {
      underWay--;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const fail = (status: number, code: string) =>
      send(status, { message: `SECRET of ${code}` }, { 'x-amzn-errortype': `${code}:http://internal.amazon.com/` });
    void (async () => {
      most = Math.max(most, ++underWay);
      const path = /^\/model\/([^/]+)\/converse$/.exec(request.url ?? '');
      const body = (await json(request)) as Omit<ConverseRequest, 'modelId'>;
      if (request.method !== 'POST' || !path || !request.headers.authorization?.startsWith('AWS4-HMAC-SHA256'))
        return fail(400, 'ValidationException');
      const { tools, toolChoice } = body.toolConfig;
      if (body.messages[0]?.role !== 'user' || !tools.some(({ toolSpec }) => toolSpec.name === toolChoice.tool.name))
        return fail(400, 'ValidationException');
      const asked = { ...body, modelId: decodeURIComponent(path[1]) };
      const reply = await decide(asked, requests.push(asked) - 1);
      if (reply === 'silence') return undefined;
      if (reply === 'hang up') {
        underWay--;
        return request.stream.session?.destroy();
      }
      if ('status' in reply) return fail(reply.status, reply.code);
      return send(200, 'body' in reply ? reply.body : answer(reply, toolChoice.tool.name));
    })();
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mostAtOnce: () => most,
    reply: (with_) => {
      decide = with_;
    },
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

type Said = { sentences: string[]; inputTokens?: number; outputTokens?: number };

/** A well-formed answer: one call of the tool. */
export function answer({ sentences, inputTokens = 400, outputTokens = 90 }: Said, tool: string): object {
  return {
    output: {
      message: {
        role: 'assistant',
        content: [{ toolUse: { toolUseId: 'tooluse_1', name: tool, input: { sentences } } }],
      },
    },
    stopReason: 'tool_use',
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    metrics: { latencyMs: 12 },
  };
}
