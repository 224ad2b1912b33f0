import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type HttpRequest, listen } from '../../src/adapters/embedded/http-server.ts';

async function open(handle: (request: HttpRequest) => string = ({ method, path }) => `${method} ${path}`) {
  const server = await listen((request) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: handle(request) }), { host: '127.0.0.1', port: 0, mostBodyBytes: 1000 }); // prettier-ignore
  onTestFinished(() => server.close());
  return { server, url: `http://127.0.0.1:${server.port}` };
}

test('a request comes with method, path, type and body; the query is not part of the path', async () => {
  const seen: HttpRequest[] = [];
  const { url } = await open((request) => `${seen.push(request)}`);
  await fetch(`${url}/decide?x=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  });
  expect(seen).toEqual([
    { method: 'POST', path: '/decide', contentType: 'application/json', body: Buffer.from('{"a":1}') },
  ]);
});

test('a body above the limit is refused, whether or not it says how long it is', async () => {
  const { url } = await open();
  const announced = await fetch(url, { method: 'POST', body: 'x'.repeat(1001) });
  expect([announced.status, await announced.json()]).toEqual([413, { error: 'A body has at most 1000 bytes.' }]);
  const stream = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 4; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(400)));
      controller.close();
    },
  });
  expect((await fetch(url, { method: 'POST', body: stream, duplex: 'half' })).status).toBe(413);
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1000) })).status).toBe(200);
});

test('an error of the handler tells nothing', async () => {
  const { url } = await open(() => {
    throw new Error('row CANARY');
  });
  const response = await fetch(url);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('CANARY');
});

test('closing answers what was asked, and takes nothing more', async () => {
  const { server, url } = await open();
  const socket = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  let answered = '';
  socket.on('data', (part) => (answered += part.toString()));
  // the server says "100 Continue" when it has seen the head and waits for the body
  socket.write(
    'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
  );
  await new Promise((resolve) => socket.once('data', resolve));
  answered = '';
  const closing = server.close();
  socket.write('{}');
  await closing;
  await new Promise((resolve) => socket.once('close', resolve));
  expect(answered).toMatch(/^HTTP\/1\.1 200 [\s\S]*POST \/slow$/);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});
