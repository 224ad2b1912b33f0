import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';

/**
 * As much of S3's REST protocol as the adapter uses, honestly: `If-None-Match: *`, uploads verified against every checksum
 * they carry (in a header, or in the trailer of an aws-chunked stream), paged ListObjectsV2, XML errors. Loopback only.
 */
export type S3Server = {
  endpoint: string;
  /** What a bucket holds, by key; to look at, or to damage on purpose. */
  objects(bucket: string): Map<string, StoredObject>;
  /** The next `times` requests with that method meet the fault instead of an answer (or, `applied`, after their effect). */
  fail(fault: Fault): void;
  /** Method and path of every request, in order. */
  requests: string[];
  close(): Promise<void>;
};

export type StoredObject = { bytes: Uint8Array; etag: string; lastModified: Date; sha256: string };

export type Fault = {
  method: string;
  times: number;
  /** An S3 error code such as `SlowDown`, or `disconnect` for a connection that is cut. */
  code: keyof typeof statuses | 'disconnect';
  applied?: boolean;
};

const statuses = {
  AccessDenied: 403,
  BadDigest: 400,
  ConditionalRequestConflict: 409,
  InternalError: 500,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  PreconditionFailed: 412,
  SlowDown: 503,
};

export async function startS3Server(options: { buckets: string[]; pageSize: number }): Promise<S3Server> {
  const buckets = new Map(options.buckets.map((name) => [name, new Map<string, StoredObject>()]));
  const faults: Fault[] = [];
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://loopback');
    requests.push(`${request.method} ${decodeURIComponent(url.pathname)}`);
    const fault = faults.find((candidate) => candidate.method === request.method && candidate.times > 0);
    if (fault) fault.times--;
    void answer(request, response, url, fault);
  });

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL, fault?: Fault): Promise<void> {
    const body = await buffer(request);
    if (fault && !fault.applied) return strike(response, fault);
    const reply = handle(request, url, body);
    if (fault) return strike(response, fault);
    response.writeHead(reply.status, reply.headers);
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }

  function handle(request: IncomingMessage, url: URL, body: Buffer): Reply {
    const [, bucketName, ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    const bucket = buckets.get(bucketName);
    if (!bucket) return failure('NoSuchBucket');
    if (url.searchParams.get('list-type') === '2') return list(bucket, url.searchParams, options.pageSize);
    switch (request.method) {
      case 'PUT':
        return put(bucket, key, request, body);
      case 'GET':
      case 'HEAD':
        return get(bucket, key);
      case 'DELETE':
        bucket.delete(key);
        return { status: 204, headers: {} };
      default:
        throw new Error(`The S3 server knows no ${request.method}.`);
    }
  }

  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects: (bucket) => buckets.get(bucket)!,
    fail: (fault) => faults.push({ ...fault }),
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

type Reply = { status: number; headers: Record<string, string>; body?: string | Uint8Array };

function strike(response: ServerResponse, fault: Fault): void {
  if (fault.code === 'disconnect') {
    response.destroy();
    return;
  }
  const reply = failure(fault.code);
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}

function failure(code: keyof typeof statuses): Reply {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status: statuses[code], headers: { 'content-type': 'application/xml' }, body };
}

function put(bucket: Map<string, StoredObject>, key: string, request: IncomingMessage, body: Buffer): Reply {
  const { bytes, trailer } = decode(request, body);
  const carried = { ...request.headers, ...trailer };
  const sha256 = createHash('sha256').update(bytes).digest('base64');
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  const wrong =
    (carried['x-amz-checksum-sha256'] ?? sha256) !== sha256 ||
    (carried['x-amz-checksum-crc32'] ?? crc.toString('base64')) !== crc.toString('base64');
  if (wrong) return failure('BadDigest');

  if (request.headers['if-none-match'] === '*' && bucket.has(key)) return failure('PreconditionFailed');
  const etag = createHash('md5').update(bytes).digest('hex');
  bucket.set(key, { bytes, etag, sha256, lastModified: new Date() });
  return { status: 200, headers: { etag: `"${etag}"` } };
}

/** The payload of a plain or an aws-chunked request, with the headers that trail the latter. */
function decode(request: IncomingMessage, body: Buffer): { bytes: Buffer; trailer: Record<string, string> } {
  if (!request.headers['content-encoding']?.includes('aws-chunked')) return { bytes: body, trailer: {} };
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end).split(';')[0], 16);
    at = end + 2;
    if (size === 0) break;
    chunks.push(body.subarray(at, at + size));
    at += size + 2;
  }
  const lines = body
    .toString('latin1', at)
    .split('\r\n')
    .filter((line) => line.includes(':'));
  const trailer = Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2)));
  const bytes = Buffer.concat(chunks);
  if (Number(request.headers['x-amz-decoded-content-length']) !== bytes.length)
    throw new Error('A torn chunked stream.');
  return { bytes, trailer };
}

function get(bucket: Map<string, StoredObject>, key: string): Reply {
  const object = bucket.get(key);
  if (!object) return failure('NoSuchKey');
  const headers = {
    etag: `"${object.etag}"`,
    'content-length': String(object.bytes.length),
    'last-modified': object.lastModified.toUTCString(),
    'x-amz-checksum-sha256': object.sha256,
  };
  return { status: 200, headers, body: object.bytes };
}

function list(bucket: Map<string, StoredObject>, query: URLSearchParams, pageSize: number): Reply {
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const prefix = query.get('prefix') ?? '';
  const behind = [...bucket.keys()]
    .filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const page = behind.slice(0, pageSize);
  const contents = page.map((key) => {
    const object = bucket.get(key)!;
    return (
      `<Contents><Key>${xml(key)}</Key><LastModified>${object.lastModified.toISOString()}</LastModified>` +
      `<ETag>&quot;${object.etag}&quot;</ETag><Size>${object.bytes.length}</Size></Contents>`
    );
  });
  const more = behind.length > pageSize;
  const next = more ? `<NextContinuationToken>${xml(page.at(-1)!)}</NextContinuationToken>` : '';
  const body =
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<IsTruncated>${more}</IsTruncated><KeyCount>${page.length}</KeyCount>${contents.join('')}${next}</ListBucketResult>`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
