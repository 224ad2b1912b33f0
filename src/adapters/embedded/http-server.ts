import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HttpRequest = { method: string; path: string; contentType?: string; body: Uint8Array };
export type HttpResponse = { status: number; headers: { [name: string]: string }; body: string };

export type ListenOptions = { host: string; port: number; mostBodyBytes: number };

/** `port` is the one that was found where 0 was asked for. */
export type Listening = { host: string; port: number; close: () => Promise<void> };

/** Answers HTTP requests by a function. `close` takes no more connections, and resolves when the open requests are answered. */
export function listen(handle: (request: HttpRequest) => HttpResponse, options: ListenOptions): Promise<Listening> {
  const { host, mostBodyBytes } = options;
  // a client that sends its request byte by byte holds a connection for no longer than this
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 5000 },
    (incoming, outgoing) => {
      void answer(incoming, outgoing, handle, mostBodyBytes);
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, () => {
      const { port } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          server.closeIdleConnections();
        });
      resolve({ host, port, close });
    });
  });
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handle: (request: HttpRequest) => HttpResponse,
  mostBodyBytes: number,
): Promise<void> {
  try {
    const body = await bodyOf(incoming, mostBodyBytes);
    const {
      status,
      headers,
      body: text,
    } = body === 'too large'
      ? tooLarge(mostBodyBytes)
      : handle({
          method: incoming.method ?? 'GET',
          path: new URL(incoming.url ?? '/', 'http://server').pathname,
          ...(incoming.headers['content-type'] !== undefined && { contentType: incoming.headers['content-type'] }),
          body,
        });
    outgoing.writeHead(status, {
      ...headers,
      'content-length': Buffer.byteLength(text),
      // what was not read of a body cannot be passed over: the connection ends with it
      ...(body === 'too large' && { connection: 'close' }),
    });
    outgoing.end(text);
  } catch {
    // nothing of the request may be told or logged
    if (!outgoing.headersSent) outgoing.writeHead(500, { 'content-type': 'application/json' });
    outgoing.end('{"error":"The request could not be answered."}');
  }
}

async function bodyOf(incoming: IncomingMessage, mostBodyBytes: number): Promise<Uint8Array | 'too large'> {
  if (Number(incoming.headers['content-length'] ?? 0) > mostBodyBytes) return 'too large';
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBodyBytes) return 'too large';
    parts.push(part);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function tooLarge(mostBodyBytes: number): HttpResponse {
  return {
    status: 413,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: `A body has at most ${mostBodyBytes} bytes.` }),
  };
}
