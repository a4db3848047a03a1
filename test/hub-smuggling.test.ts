/** Nothing that a client frames oddly becomes a request of its own at an API server, and no write is sent there twice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
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
  const hub = await startHubAt(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const ofClient = () => requests.filter(({ line }) => line !== 'GET /tiller/v2/version/json');
  return { hub, requests: ofClient, broken: () => broken };
}

/** A hub whose cluster `a` is reached by the gateway behind that API server. */
function startHubAt(t: TestContext, server: string): Promise<HubStage> {
  const folder = createFolder(t);
  folder.write(
    'kubeconfig',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server } }],
    }),
  );
  const entry = '{name: a, upstream: gateway, service: "kube-system/swift:http", kubeconfig: kubeconfig}';
  return startHub(t, folder, `clusters:\n- ${entry}\n`);
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

describe('a body that a method does not have', { concurrency: 6 }, () => {
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
        // POST /anything is refused: without its body it would be another change
        ['OPTIONS /anything', ''],
        [`GET ${rollback}`, ''],
      ],
    );
    assert.equal(broken(), 0);
  });
});

describe('a body that a method has', { concurrency: 6 }, () => {
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

describe('unusual framing', { concurrency: 6 }, () => {
  const body = JSON.stringify({ name: 'web' });
  const head = `POST /clusters/a${release} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const victim = `GET /clusters/a${list}?limit=7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

  /** Each sends a body; whether it goes on. Where it does not, the connection is over before the victim. */
  const codings: readonly (readonly [string, boolean])[] = [
    ['Transfer-Encoding: Chunked', true],
    ['Transfer-Encoding:\tchunked', true],
    ['Transfer-Encoding: chunked \t', false],
    ['Expect: 100-continue\r\nTransfer-Encoding: chunked', true],
    ['Transfer-Encoding: xchunked', false],
    ['Transfer-Encoding: chunked, chunked', false],
    ['Transfer-Encoding: chunked, identity', false],
    ['Transfer-Encoding: "chunked"', false],
    ['Transfer-Encoding: \x0bchunked', false],
    ['Transfer-Encoding : chunked', false],
    ['X: y\nTransfer-Encoding: chunked\r\nContent-Length: 0', false],
    ['Content-Length: +1', false],
    ['Content-Length: 0x10', false],
    ['Content-Length: 1, 2', false],
    ['Expect: 200-maybe\r\nTransfer-Encoding: chunked', false],
  ];
  for (const [coding, goesOn] of codings) {
    test(`${JSON.stringify(coding)} ${goesOn ? 'is one request' : 'reaches nobody'}`, async t => {
      const { hub, requests, broken } = await startRecording(t);
      const attack = `${head}${coding}\r\n\r\n${chunked(body)}`;
      const answer = await sendRaw(hub, attack + victim, text => text.includes('limit=7'));
      if (goesOn) assert.match(answer, new RegExp(`"line":"GET ${list}\\?limit=7"`));
      else assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      const own = requests().filter(({ line }) => line.startsWith('POST'));
      assert.deepEqual(
        own.map(({ line, body }) => [line, body]),
        goesOn ? [[`POST ${release}`, body]] : [],
      );
      assert.equal(broken(), 0);
    });
  }

  test('trailers stay here, whatever they say', async t => {
    const { hub, requests, broken } = await startRecording(t);
    const trailers = 'X-Evil: 1\r\nImpersonate-User: root\r\n';
    const framing = 'Transfer-Encoding: chunked\r\nTrailer: X-Evil\r\n';
    const chunks = chunked(body).replace(/\r\n$/, `${trailers}\r\n`);
    const answer = await sendRaw(hub, `${head}${framing}\r\n${chunks}${victim}`, text =>
      text.includes('limit=7'),
    );
    assert.match(answer, new RegExp(`"line":"GET ${list}\\?limit=7"`));
    const [sent] = requests();
    assert.equal(sent?.body, body);
    for (const name of ['trailer', 'x-evil', 'impersonate-user'])
      assert.equal(sent?.headers[name], undefined);
    assert.equal(broken(), 0);
  });

  test('trailers that would frame it anew end it', async t => {
    for (const trailer of ['Content-Length: 99', 'Transfer-Encoding: chunked']) {
      const { hub, requests, broken } = await startRecording(t);
      const chunks = chunked(body).replace(/\r\n$/, `${trailer}\r\n\r\n`);
      await sendRaw(hub, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`, () => false);
      const other = await fetch(`${hub.url}/clusters/a${list}?limit=8`);
      assert.deepEqual(await other.json(), { line: `GET ${list}?limit=8` });
      for (const { line } of requests()) assert.match(line, /^POST |limit=8$/);
      assert.equal(broken(), 0);
    }
  });

  for (const verb of ['OPTIONS', 'HEAD', 'GET']) {
    for (const [name, lines, content] of framings) {
      test(`${verb} of an unknown path with a body, ${name}: nothing follows it`, async t => {
        const { hub, requests, broken } = await startRecording(t);
        const attack = `${verb} /clusters/a/anything HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${content}`;
        const answer = await sendRaw(hub, attack + victim, text => text.includes('limit=7'));
        assert.match(answer, new RegExp(`"line":"GET ${list}\\?limit=7"`));
        assert.deepEqual(
          requests().map(({ line, body }) => [line, body]),
          [
            [`${verb} /anything`, ''],
            [`GET ${list}?limit=7`, ''],
          ],
        );
        assert.equal(broken(), 0);
      });
    }
  }

  for (const verb of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const [name, lines, content] of framings) {
      test(`${verb} of an unknown path with a body, ${name}: is refused, so that no half of it arrives`, async t => {
        const { hub, requests, broken } = await startRecording(t);
        const attack = `${verb} /clusters/a/anything HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${content}`;
        const answer = await sendRaw(hub, attack + victim, text => text.includes('limit=7'));
        assert.match(answer, /HTTP\/1\.1 400 .*"message":"\/anything is not known here/s);
        assert.deepEqual(
          requests().map(({ line }) => line),
          [`GET ${list}?limit=7`],
        );
        assert.equal(broken(), 0);
      });
    }
  }

  for (const lines of ['', `Content-Length: ${smuggled.length}\r\n`, 'Transfer-Encoding: chunked\r\n']) {
    test(`an upgrade with a body (${lines.trim() || 'behind its head'}) sends none on unless it is a WebSocket`, async t => {
      const { hub, requests, broken } = await startRecording(t);
      const upgrade =
        'GET /clusters/a/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n';
      const content = lines.startsWith('T') ? chunked(smuggled) : smuggled;
      await sendRaw(hub, `${upgrade}${lines}\r\n${content}`, text => text.includes('\r\n\r\n'));
      const other = await fetch(`${hub.url}/clusters/a${list}?limit=8`);
      assert.deepEqual(await other.json(), { line: `GET ${list}?limit=8` });
      for (const { line, body } of requests()) {
        assert.ok(line === 'GET /live' || line === `GET ${list}?limit=8`, line);
        assert.equal(body, '');
      }
      assert.equal(broken(), 0);
    });
  }

  test('an answer that comes before the body is whole ends its connection: the rest is no request', async t => {
    const { hub, requests, broken } = await startRecording(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(413);
      return false;
    });
    const early = `${head}Content-Length: 100000\r\n\r\n{`;
    const socket = connect(hub.port, '127.0.0.1');
    socket.on('error', () => {}).write(early);
    await eventually(() => requests().length === 1);
    socket.write(smuggled);
    const others = Array.from({ length: 5 }, async (_, index) => {
      const other = await fetch(`${hub.url}/clusters/a${list}?limit=${index}`);
      assert.deepEqual(await other.json(), { line: `GET ${list}?limit=${index}` });
    });
    await Promise.all(others);
    socket.destroy();
    assert.deepEqual(
      requests().filter(({ line }) => line.includes('secrets')),
      [],
    );
    assert.equal(broken(), 0);
  });
});

/** An API server that answers each request with bytes of its own, whole or not, and keeps the connection. */
async function startAnswering(t: TestContext, answerOf: (head: string) => string): Promise<HubStage> {
  const sockets = new Set<Socket>();
  const server = createTcpServer(socket => {
    sockets.add(socket.on('error', () => {}));
    socket.on('data', data => {
      const [, id] = /x-request-id: (.*)/i.exec(String(data)) ?? [];
      const answer = answerOf(String(data).split('\r\n', 1)[0] ?? '').replaceAll('REQUEST-ID', id ?? '');
      if (answer) socket.write(answer);
      else socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return startHubAt(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

describe('an answer of a member', { concurrency: 6 }, () => {
  const final = (text: string) =>
    `HTTP/1.1 200 OK\r\nX-Request-Id: REQUEST-ID\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  const lineOf = (head: string) => /limit=\d+/.exec(head)?.[0] ?? 'none';
  const cases: readonly (readonly [string, (head: string) => string, number])[] = [
    ['after a 100', head => `HTTP/1.1 100 Continue\r\n\r\n${final(lineOf(head))}`, 200],
    [
      'after a 103 with headers',
      head => `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${final(lineOf(head))}`,
      200,
    ],
    ['after several', head => `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(3)}${final(lineOf(head))}`, 200],
    [
      'of 101 that nobody asked for',
      () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      503,
    ],
    [
      'with two framings',
      () =>
        'HTTP/1.1 200 OK\r\nX-Request-Id: REQUEST-ID\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      503,
    ],
    ['that is no HTTP', () => 'SSH-2.0-x\r\n', 503],
    ['that never comes', () => '', 503],
  ];
  for (const [name, answerOf, status] of cases) {
    test(`${name}: ${status}, and others get their own`, async t => {
      const hub = await startAnswering(t, head =>
        head.includes('limit=1') ? answerOf(head) : final(lineOf(head)),
      );
      for (const limit of [1, 2, 1, 3]) {
        const answer = await fetch(`${hub.url}/clusters/a${list}?limit=${limit}`);
        const text = await answer.text();
        assert.equal(answer.status, limit === 1 ? status : 200, text);
        if (answer.status === 200) assert.equal(text, `limit=${limit}`);
        assert.equal(answer.headers.get('link'), null);
      }
    });
  }

  test('followed by another that nobody asked for is never given to the next client', async t => {
    const hub = await startAnswering(t, head =>
      head.includes('limit=1') ? final('limit=1') + final('stolen') : final(lineOf(head)),
    );
    for (const limit of [1, 2, 1, 3, 4]) {
      const answer = await fetch(`${hub.url}/clusters/a${list}?limit=${limit}`);
      const text = await answer.text();
      assert.ok(text === `limit=${limit}` || answer.status === 503, text);
    }
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
