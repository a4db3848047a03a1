/** Nothing that a client frames oddly becomes a request of its own at an API server, and no write is sent there twice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { createFolder, type HubStage, startHub } from './support/hub-stage.ts';

const proxyPath = '/api/v1/namespaces/kube-system/services/swift:http/proxy';
const smuggled = 'GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\nX-Evil: 1\r\n\r\n';
const list = '/tiller/v2/releases/json';
const release = '/tiller/v2/releases/web/json';

interface Recorded {
  readonly line: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** An API server that records every request that reaches it, with its body, and answers with the request's line. */
async function startRecording(
  t: TestContext,
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean,
) {
  const requests: Recorded[] = [];
  let broken = 0;
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url?.replace(proxyPath, '')}`;
    const record = { line, body: '', headers: request.headers };
    requests.push(record);
    try {
      for await (const chunk of request.setEncoding('utf8')) record.body += chunk;
    } catch {
      return; // cut off
    }
    response.setHeader('X-Request-Id', String(request.headers['x-request-id']));
    if (!answer?.(request, response)) response.end(JSON.stringify({ line }));
  });
  // bytes that are no request: what was smuggled need not be one that is understood
  server.on('clientError', (_error, socket) => {
    broken++;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = createFolder(t);
  const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder.write(
    'kubeconfig',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: place } }],
    }),
  );
  const entry = '{name: a, upstream: gateway, service: "kube-system/swift:http", kubeconfig: kubeconfig}';
  const hub = await startHub(t, folder, `clusters:\n- ${entry}\n`);
  const ofClient = () => requests.filter(({ line }) => line !== 'GET /tiller/v2/version/json');
  return { hub, requests: ofClient, broken: () => broken };
}

/** Sends bytes as they are and gives all that comes back until there is quiet, or the connection ends. */
async function sendRaw(hub: HubStage, text: string, until: (answer: string) => boolean): Promise<string> {
  const socket = connect(hub.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) {
    answer += chunk;
    if (until(answer)) break;
  }
  socket.destroy();
  return answer;
}

async function sendHttp2(hub: HubStage, method: string, path: string, body: string): Promise<string> {
  const session = connectHttp2(hub.url);
  session.on('error', () => {});
  try {
    const stream = session.request(
      { ':method': method, ':path': `/clusters/a${path}` },
      { endStream: false },
    );
    stream.on('error', () => {});
    stream.end(body);
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    return text;
  } finally {
    session.destroy();
  }
}

const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** How a body can come with a method that has none: the head's lines, and what follows the head. */
const framings: readonly (readonly [string, string, string])[] = [
  ['chunked', 'Transfer-Encoding: chunked\r\n', chunked(smuggled)],
  ['with its length', `Content-Length: ${smuggled.length}\r\n`, smuggled],
  ['chunked, after a 100', 'Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n', chunked(smuggled)],
  [
    'chunked, with a Connection that names it',
    'Transfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n',
    chunked(smuggled),
  ],
];

describe('a body that a method does not have', () => {
  for (const verb of ['GET', 'HEAD', 'DELETE']) {
    for (const [name, head, body] of framings) {
      test(`${verb}, ${name}: goes nowhere, and the next client gets its own answer`, async t => {
        const { hub, requests, broken } = await startRecording(t);
        const path = verb === 'DELETE' ? release : list;
        const victim = `GET /clusters/a${list}?limit=7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
        const attack = `${verb} /clusters/a${path} HTTP/1.1\r\nHost: localhost\r\n${head}\r\n${body}`;
        const answer = await sendRaw(hub, attack + victim, text => text.includes('limit=7'));
        assert.match(answer, new RegExp(`"line":"GET ${list}\\?limit=7"`));
        const other = await fetch(`${hub.url}/clusters/a${list}?limit=8`);
        assert.deepEqual(await other.json(), { line: `GET ${list}?limit=8` });
        assert.deepEqual(
          requests().map(({ line, body }) => [line, body]),
          [
            [`${verb} ${path}`, ''],
            [`GET ${list}?limit=7`, ''],
            [`GET ${list}?limit=8`, ''],
          ],
        );
        assert.equal(broken(), 0);
      });
    }

    test(`${verb}, as HTTP/2 DATA without a length: goes nowhere`, async t => {
      const { hub, requests, broken } = await startRecording(t);
      const path = verb === 'DELETE' ? release : list;
      await sendHttp2(hub, verb, path, smuggled);
      const other = await fetch(`${hub.url}/clusters/a${list}?limit=8`);
      assert.deepEqual(await other.json(), { line: `GET ${list}?limit=8` });
      assert.deepEqual(
        requests().map(({ line, body }) => [line, body]),
        [
          [`${verb} ${path}`, ''],
          [`GET ${list}?limit=8`, ''],
        ],
      );
      assert.equal(broken(), 0);
    });
  }

  test('also at paths that this gateway does not know, and by the rollback that is a GET', async t => {
    const { hub, requests, broken } = await startRecording(t);
    const rollback = '/tiller/v2/releases/web/rollback/json';
    for (const [verb, path] of [
      ['GET', '/anything'],
      ['POST', '/anything'],
      ['OPTIONS', '/anything'],
      ['GET', rollback],
    ] as const) {
      await sendHttp2(hub, verb, path, smuggled);
    }
    assert.deepEqual(
      requests().map(({ line, body }) => [line, body]),
      [
        ['GET /anything', ''],
        ['POST /anything', ''],
        ['OPTIONS /anything', ''],
        [`GET ${rollback}`, ''],
      ],
    );
    assert.equal(broken(), 0);
  });
});

describe('a body that a method has', () => {
  const body = JSON.stringify({ name: 'web', text: smuggled });

  test('goes on as it came, framed anew', async t => {
    const { hub, requests, broken } = await startRecording(t);
    const head = `POST /clusters/a${release} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const withLength = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    const asChunks = `${head}Transfer-Encoding: chunked\r\n\r\n${chunked(body)}`;
    await sendRaw(hub, withLength + asChunks, text => text.split('"line"').length > 2);
    await sendHttp2(hub, 'POST', release, body);
    assert.deepEqual(
      requests().map(request => [request.line, request.body, request.headers['content-length']]),
      Array.from({ length: 3 }, () => [`POST ${release}`, body, undefined]),
    );
    assert.equal(broken(), 0);
  });

  test('with two framings is refused', async t => {
    const { hub, requests } = await startRecording(t);
    const head = `POST /clusters/a${release} HTTP/1.1\r\nHost: localhost\r\n`;
    for (const framing of [
      `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n`,
      `Content-Length: 4\r\nContent-Length: 5\r\n`,
      `Transfer-Encoding: identity, chunked, identity\r\n`,
    ]) {
      const answer = await sendRaw(hub, `${head}${framing}\r\n${chunked(body)}`, text =>
        text.includes('\r\n\r\n'),
      );
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, framing);
    }
    assert.deepEqual(requests(), []);
  });

  test('that breaks off closes its connection: nothing is sent behind it', async t => {
    const { hub, requests } = await startRecording(t);
    const head = `POST /clusters/a${release} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n`;
    const socket = connect(hub.port, '127.0.0.1');
    socket.write(`${head}{"name":`);
    await eventually(() => requests().length > 0);
    socket.destroy();
    const other = await fetch(`${hub.url}/clusters/a${list}?limit=8`);
    assert.deepEqual(await other.json(), { line: `GET ${list}?limit=8` });
  });
});

test('a rollback is sent once, however its path is written', async t => {
  let closed = 0;
  const { hub, requests } = await startRecording(t, (request, response) => {
    if (!decodeURIComponent(request.url ?? '').includes('rollback')) return false;
    closed++;
    response.socket?.destroy();
    return true;
  });
  const paths = ['rollback', '%72ollback', 'rollbac%6b', '%72%6f%6c%6c%62%61%63%6b'];
  for (const path of paths) {
    const { status } = await fetch(`${hub.url}/clusters/a/tiller/v2/releases/web/${path}/json`);
    assert.ok(status === 503 || status === 404, `${path}: ${status}`);
  }
  const sent = requests().map(({ line }) => line);
  assert.deepEqual([...new Set(sent)], sent);
  assert.equal(closed, sent.length);
  assert.ok(closed >= 1);
});

test('a member’s page can do nothing in the hub’s origin, and its odd answers end nothing', async t => {
  const { hub } = await startRecording(t, (request, response) => {
    const status = /status=(\d+)/.exec(request.url ?? '')?.[1];
    if (status) {
      response.writeHead(Number(status), { 'HTTP2-Settings': 'x' }).end();
      return true;
    }
    if (!request.url?.endsWith('/page')) return false;
    response.writeHead(200, {
      'Content-Type': 'text/html',
      Refresh: '0; url=https://evil.example',
      'Clear-Site-Data': '"*"',
      'Strict-Transport-Security': 'max-age=99',
      'Set-Cookie': 'a=b',
      Location: 'https://evil.example',
      'Access-Control-Allow-Origin': '*',
    });
    response.end('<script>alert(1)</script>');
    return true;
  });
  const page = await fetch(`${hub.url}/clusters/a/page`);
  assert.equal(await page.text(), '<script>alert(1)</script>');
  assert.equal(page.headers.get('content-security-policy'), 'sandbox');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  for (const name of ['refresh', 'clear-site-data', 'strict-transport-security', 'set-cookie', 'location'])
    assert.equal(page.headers.get(name), null, name);
  for (const status of [600, 999]) {
    assert.equal((await fetch(`${hub.url}/clusters/a${list}?status=${status}`)).status, 500);
    const answer = await sendHttp2(hub, 'GET', `${list}?status=${status}`, '');
    assert.match(answer, new RegExp(`answered with status ${status}`));
  }
  assert.equal((await fetch(`${hub.url}/clusters/a${list}`)).status, 200);
});
