/** gRPC-Web on the one port: Node clients over HTTP/1.1 and HTTP/2, and the fetch of a real browser; and what gets 415. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { toFrame } from '../src/protocol/index.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import { eventually } from './support/eventually.ts';
import { decodeGrpcMessage } from './support/grpc-message.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const service = '/appscode.swift.v2.ReleaseService';
const types = [
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpc-web-text',
  'application/grpc-web-text+proto',
];

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Ended {
  readonly messages: Buffer[];
  readonly status: number;
  readonly message: string;
}

/** Reads the frames of an answer: messages, and the trailers as the last. */
function read({ body, headers }: Pick<Answer, 'body' | 'headers'>): Ended {
  const isText = headers['content-type']?.includes('-text') ?? false;
  const pieces = body.toString('latin1').match(/[^=]+=*/g) ?? [];
  let rest = isText ? Buffer.concat(pieces.map(piece => Buffer.from(piece, 'base64'))) : body;
  const messages: Buffer[] = [];
  for (;;) {
    const [flags, end] = [rest[0], 5 + rest.readUInt32BE(1)];
    const content = rest.subarray(5, end);
    assert.equal(content.length, end - 5, 'the last frame is whole');
    rest = rest.subarray(end);
    if (flags === 0) {
      messages.push(content);
      continue;
    }
    assert.equal(flags, 0x80);
    assert.equal(rest.length, 0, 'nothing follows the trailers');
    const trailers = new Map(
      content
        .toString('latin1')
        .split('\r\n')
        .map(line => [line.replace(/:.*/, ''), line.replace(/^[^:]*: ?/, '')]),
    );
    return {
      messages,
      status: Number(trailers.get('grpc-status')),
      message: decodeGrpcMessage(trailers.get('grpc-message') ?? ''),
    };
  }
}

function bodyOf(type: string, ...messages: Uint8Array[]): Buffer {
  const frames = messages.map(toFrame);
  if (!type.includes('-text')) return Buffer.concat(frames);
  return Buffer.from(frames.map(frame => frame.toString('base64')).join(''));
}

type Post = (path: string, headers: Record<string, string>, body: Buffer) => Promise<Answer>;

function overHttp1(url: string): Post {
  return async (path, headers, body) => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: new Uint8Array(body) });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  };
}

function overHttp2(t: TestContext, url: string): Post {
  const session = http2.connect(url);
  t.after(() => session.close());
  return async (path, headers, body) => {
    const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
    stream.end(body);
    const [head] = await once(stream, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return { status: head[':status'], headers: head, body: Buffer.concat(chunks) };
  };
}

let stub: StubTiller;

before(async () => {
  const lines = ['RUNNING: a', 'PASSED: a'].map(msg =>
    encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg }),
  );
  stub = await startStubTiller({
    replies: {
      GetReleaseStatus: { status: 2, message: 'release: "ä" not found' },
      RunReleaseTest: { responses: lines, betweenMs: 20 },
      UninstallRelease: {
        responses: [encodeMessage('hapi.services.tiller.UninstallReleaseResponse', { info: 'gone' })],
      },
      GetReleaseContent: { hang: 'before' },
    },
  });
});

after(() => stub.stop());

for (const version of ['HTTP/1.1', 'HTTP/2']) {
  describe(`gRPC-Web over ${version}`, () => {
    const start = async (t: TestContext, flags: string[] = []) => {
      const { url } = await startWholeGateway(t, stub, flags);
      return { url, post: version === 'HTTP/2' ? overHttp2(t, url) : overHttp1(url) };
    };

    test('a unary call, a stream, an error: in every content type', async t => {
      const { post } = await start(t);
      for (const type of types) {
        const call = (method: string, request: Uint8Array, more = {}) =>
          post(
            `${service}/${method}`,
            { 'content-type': type, 'x-grpc-web': '1', ...more },
            bodyOf(type, request),
          );
        const unary = await call('GetVersion', Buffer.alloc(0));
        assert.equal(unary.status, 200);
        assert.equal(unary.headers['content-type'], `${type.replace(/\+proto$/, '')}+proto`);
        const { messages, status } = read(unary);
        assert.equal(status, 0);
        assert.equal(
          decodeMessage('appscode.swift.v2.GetVersionResponse', messages[0]!).Version?.sem_ver,
          'v2.17.0',
        );

        const streamed = read(
          await call('RunReleaseTest', encodeMessage('appscode.swift.v2.TestReleaseRequest', { name: 'a' })),
        );
        assert.deepEqual(
          streamed.messages.map(line => decodeMessage('appscode.swift.v2.TestReleaseResponse', line).msg),
          ['RUNNING: a', 'PASSED: a'],
        );
        const missing = await call(
          'GetReleaseStatus',
          encodeMessage('appscode.swift.v2.GetReleaseStatusRequest', { name: 'ä' }),
        );
        assert.equal(missing.status, 200);
        assert.deepEqual(read(missing), { messages: [], status: 5, message: 'release: "ä" not found' });
        // a busy machine may open the gateway's first connection later than its first look at Tiller waits
        await eventually(async () => {
          const path = '/grpc.health.v1.Health/Check';
          const health = read(await post(path, { 'content-type': type }, bodyOf(type, Buffer.alloc(0))));
          assert.deepEqual([health.status, health.message, health.messages.length], [0, '', 1]);
          return health.messages[0]?.equals(Buffer.from([8, 1]));
        });
      }
    });

    test('what a request may be: compressed, in pieces of base64, asking for the other format', async t => {
      const { post } = await start(t);
      const packed = toFrame(gzipSync(Buffer.alloc(0)));
      packed[0] = 1;
      const gzipped = await post(
        `${service}/GetVersion`,
        { 'content-type': types[0]!, 'grpc-encoding': 'gzip' },
        packed,
      );
      assert.equal(read(gzipped).status, 0);
      const pieces = Buffer.from(
        [0, 1, 3]
          .map((at, index, all) =>
            toFrame(Buffer.alloc(0))
              .subarray(at, all[index + 1] ?? 5)
              .toString('base64'),
          )
          .join(''),
      );
      assert.equal(
        read(await post(`${service}/GetVersion`, { 'content-type': types[2]! }, pieces)).status,
        0,
      );
      const asked = await post(
        `${service}/GetVersion`,
        { 'content-type': types[0]!, accept: types[2]! },
        toFrame(Buffer.alloc(0)),
      );
      assert.match(asked.headers['content-type']!, /grpc-web-text/);
      assert.equal(read(asked).status, 0);
    });

    test('what is wrong with a request is its status, and over the limit nothing is read', async t => {
      const { post } = await start(t, ['--message-limit=64KiB']);
      const cases: [string, number, Buffer, Record<string, string>?][] = [
        ['no message', 12, Buffer.alloc(0)],
        ['two messages', 12, bodyOf('', Buffer.alloc(0), Buffer.alloc(0))],
        ['half a message', 13, toFrame(Buffer.alloc(9)).subarray(0, 8)],
        ['an odd flag', 13, Buffer.from([7, 0, 0, 0, 0])],
        ['a huge prefix', 8, Buffer.from([0, 255, 255, 255, 255])],
        ['a huge body', 8, toFrame(Buffer.alloc(70_000))],
        ['no protobuf', 3, toFrame(Buffer.from([0xff]))],
        ['no deadline', 3, toFrame(Buffer.alloc(0)), { 'grpc-timeout': 'soon' }],
        ['no such encoding', 12, Buffer.from([1, 0, 0, 0, 0]), { 'grpc-encoding': 'br' }],
        ['no base64', 3, Buffer.from('AA!!'), { 'content-type': types[2]! }],
      ];
      for (const [what, status, body, more] of cases) {
        const answer = await post(
          `${service}/GetReleaseContent`,
          { 'content-type': types[0]!, ...more },
          body,
        );
        assert.equal(answer.status, 200, what);
        assert.equal(read(answer).status, status, what);
      }
    });

    test('a deadline ends the call, and a client that leaves cancels it', async t => {
      const { url, post } = await start(t);
      const name = encodeMessage('appscode.swift.v2.GetReleaseContentRequest', { name: 'a' });
      const late = await post(
        `${service}/GetReleaseContent`,
        { 'content-type': types[0]!, 'grpc-timeout': '100m' },
        toFrame(name),
      );
      assert.equal(read(late).status, 4);
      const before = stub.callsOf('GetReleaseContent').length;
      const body = toFrame(name);
      if (version === 'HTTP/2') {
        const session = http2.connect(url);
        const stream = session.request({
          ':method': 'POST',
          ':path': `${service}/GetReleaseContent`,
          'content-type': types[0]!,
        });
        stream.on('error', () => {}).end(body);
        const call = await stub.arrival('GetReleaseContent', before + 1);
        stream.close(8);
        await call.done;
        session.close();
      } else {
        const leaving = new AbortController();
        const answer = fetch(`${url}${service}/GetReleaseContent`, {
          method: 'POST',
          headers: { 'content-type': types[0]! },
          body,
          signal: leaving.signal,
        });
        const call = await stub.arrival('GetReleaseContent', before + 1);
        leaving.abort();
        await assert.rejects(answer);
        await call.done;
      }
      assert.equal(stub.callsOf('GetReleaseContent').at(-1)?.outcome, 'cancelled');
    });
  });
}

test('a page of another origin changes nothing: 403, whatever it claims to send', async t => {
  const { url } = await startWholeGateway(t, stub);
  const post = overHttp1(url);
  const before = stub.callsOf('UninstallRelease').length;
  for (const type of [...types, 'text/plain']) {
    for (const foreign of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const headers = { 'content-type': type, ...foreign } as Record<string, string>;
      const { status } = await post(
        `${service}/UninstallRelease`,
        headers,
        bodyOf(type, Buffer.from([10, 1, 97])),
      );
      assert.equal(status, 403, JSON.stringify(headers));
    }
  }
  assert.equal(stub.callsOf('UninstallRelease').length, before);
  const allowed = await startWholeGateway(t, stub, ['--enable-cors', '--cors-origin-host=good.example']);
  const headers = { 'content-type': types[0]!, origin: 'http://good.example' };
  const answer = await overHttp1(allowed.url)(
    `${service}/UninstallRelease`,
    headers,
    toFrame(Buffer.from([10, 1, 97])),
  );
  assert.equal(read(answer).status, 0);
  assert.equal(answer.headers['access-control-allow-origin'], 'http://good.example');
  assert.match(answer.headers['access-control-expose-headers'] ?? '', /Grpc-Message,Grpc-Status/);
});

test('other protocols at these paths get 415 with what to use', async t => {
  const { url } = await startWholeGateway(t, stub);
  const post = overHttp1(url);
  const cases: [string, Record<string, string>, RegExp][] = [
    [`${service}/GetVersion`, { 'content-type': 'application/grpc' }, /gRPC needs HTTP\/2/],
    [`${service}/GetVersion`, { 'content-type': 'application/grpc+proto' }, /gRPC needs HTTP\/2/],
    ['/grpc.health.v1.Health/Check', { 'content-type': 'application/grpc' }, /gRPC needs HTTP\/2/],
    [
      '/hapi.services.tiller.ReleaseService/GetVersion',
      { 'content-type': 'application/grpc-web' },
      /native gRPC/,
    ],
    [
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      { 'content-type': 'application/grpc' },
      /native gRPC/,
    ],
    [`${service}/GetVersion`, { 'content-type': 'application/connect+json' }, /Connect protocol/],
    [`${service}/GetVersion`, { 'content-type': 'application/connect+proto' }, /Connect protocol/],
    [`${service}/GetVersion`, { 'content-type': 'application/proto' }, /Connect protocol/],
    [
      `${service}/GetVersion`,
      { 'content-type': 'application/json', 'connect-protocol-version': '1' },
      /Connect protocol/,
    ],
    [`${service}/GetVersion`, { 'content-type': 'application/json' }, /no content type of gRPC-Web/],
    [`${service}/GetVersion`, { 'content-type': 'application/grpc-web+json' }, /no content type of gRPC-Web/],
  ];
  for (const [path, headers, expected] of cases) {
    const { status, body } = await post(path, headers, Buffer.from('{}'));
    const { message, reason } = JSON.parse(body.toString());
    assert.equal(status, 415, `${path} ${JSON.stringify(headers)}`);
    assert.equal(reason, 'UNSUPPORTED_MEDIA_TYPE');
    assert.match(message, expected);
    assert.match(message, /use gRPC-Web .*JSON API/);
  }
});

test('a page of a real browser calls by gRPC-Web where CORS allows its origin, and only there', {
  skip: noBrowser,
}, async t => {
  const site = createServer((_request, response) =>
    response.end('<!doctype html><title>a dashboard</title>'),
  );
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const page = await (await startBrowser()).newPage();
  t.after(async () => {
    await page.close();
    site.closeAllConnections();
    site.close();
  });
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);

  /** A client in the page: sends one message, and gives the answer's bytes, or that the browser shows none. */
  const callInPage = async (url: string, type: string, message: Uint8Array) => {
    const run = async ([address, contentType, sent]: [string, string, number[]]) => {
      const isText = contentType.includes('-text');
      const body = isText ? btoa(String.fromCharCode(...sent)) : new Uint8Array(sent);
      const headers = {
        'content-type': contentType,
        accept: contentType,
        'x-grpc-web': '1',
        'x-user-agent': 'a-page',
        'grpc-timeout': '20S',
      };
      try {
        const response = await fetch(address, { method: 'POST', headers, body });
        const bytes = [...new Uint8Array(await response.arrayBuffer())];
        return { status: response.status, type: response.headers.get('content-type') ?? '', bytes };
      } catch (error) {
        return { failed: String(error) };
      }
    };
    const seen = await page.evaluate(run, [url, type, [...toFrame(message)]] as [string, string, number[]]);
    if ('failed' in seen) return seen;
    return {
      status: seen.status,
      ended: read({ body: Buffer.from(seen.bytes), headers: { 'content-type': seen.type } }),
    };
  };
  const name = encodeMessage('appscode.swift.v2.TestReleaseRequest', { name: 'a' });

  const open = await startWholeGateway(t, stub, ['--enable-cors']);
  for (const type of types) {
    const unary = await callInPage(`${open.url}${service}/GetVersion`, type, Buffer.alloc(0));
    assert.equal('ended' in unary && unary.ended.status, 0, JSON.stringify(unary));
    const streamed = await callInPage(`${open.url}${service}/RunReleaseTest`, type, name);
    assert.equal('ended' in streamed && streamed.ended.messages.length, 2);
    const missing = await callInPage(`${open.url}${service}/GetReleaseStatus`, type, name);
    assert.equal('ended' in missing && missing.ended.status, 5);
    const written = await callInPage(`${open.url}${service}/UninstallRelease`, type, name);
    assert.equal('ended' in written && written.ended.status, 0);
  }

  const closed = await startWholeGateway(t, stub);
  const calls = stub.callsOf('UninstallRelease').length;
  for (const type of types) {
    assert.ok('failed' in (await callInPage(`${closed.url}${service}/GetVersion`, type, Buffer.alloc(0))));
    assert.ok('failed' in (await callInPage(`${closed.url}${service}/UninstallRelease`, type, name)));
  }
  assert.equal(
    stub.callsOf('UninstallRelease').length,
    calls,
    'nothing that a foreign page sent has reached Tiller',
  );
});
