/** The HTTP/JSON front as clients of both HTTP versions meet it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { eventually, whenStill } from './support/eventually.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway, type WholeGateway } from './support/whole-gateway.ts';

const release = '/tiller/v2/releases/alpha';
const chart = { metadata: { name: 'x' } };
const testLine = (msg: string) => encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg });

let stub: StubTiller;

before(async () => {
  stub = await startStubTiller({
    replies: {
      InstallRelease: { responses: [Buffer.alloc(0)] },
      RollbackRelease: { responses: [Buffer.alloc(0)] },
      GetReleaseStatus: { status: 2, message: 'release: "nope" not found' },
    },
  });
});
after(() => stub.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
type Ask = (gateway: WholeGateway, verb: string, path: string, asked?: Asked) => Promise<Answer>;

const askHttp1: Ask = async ({ port }, method, path, { headers = {}, body } = {}) => {
  const request = httpRequest({ port, method, path, headers, agent: false });
  request.on('error', () => {}).end(body);
  const [response] = await once(request, 'response');
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(await response.toArray()),
  };
};

const askHttp2: Ask = async ({ url }, method, path, { headers = {}, body } = {}) => {
  const session = connect(url);
  try {
    const stream = session.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: body === undefined },
    );
    stream.on('error', () => {});
    if (body !== undefined) stream.end(body);
    const [answer] = await once(stream, 'response');
    return { status: answer[':status'], headers: answer, body: Buffer.concat(await stream.toArray()) };
  } finally {
    session.destroy(); // Node's client keeps a stream that was reset while it still had something to send
  }
};

const json = ({ body }: Answer) => JSON.parse(body.toString());

for (const [version, ask] of [
  ['HTTP/1.1', askHttp1],
  ['HTTP/2', askHttp2],
] as const) {
  describe(`over ${version}`, () => {
    let gateway: WholeGateway;
    let stop: () => unknown;
    before(async () => {
      const owner = { after: (close: () => unknown) => (stop = close) };
      gateway = await startWholeGateway(owner, stub, ['--body-limit=1MiB']);
    });
    after(() => stop());

    test('404, and 405 with Allow', async () => {
      const missing = await ask(gateway, 'GET', '/tiller/v2/nothing');
      assert.equal(missing.status, 404);
      assert.deepEqual(json(missing), {
        code: 5,
        message: 'nothing is at /tiller/v2/nothing',
        reason: 'NOT_FOUND',
      });
      assert.equal(json(await ask(gateway, 'PATCH', `${release}/json`)).reason, 'METHOD_NOT_ALLOWED');
      const wrong = await ask(gateway, 'PATCH', `${release}/json`);
      assert.equal(wrong.status, 405);
      assert.equal(json(wrong).code, 12);
      for (const verb of ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS'])
        assert.ok(String(wrong.headers.allow).split(', ').includes(verb), verb);
      assert.equal((await ask(gateway, 'POST', '/openapi.json')).headers.allow, 'GET, HEAD, OPTIONS');
    });

    test('OPTIONS says what there is, without a body', async () => {
      const { status, headers, body } = await ask(gateway, 'OPTIONS', `${release}/test/json`);
      assert.deepEqual([status, headers.allow, body.length], [204, 'POST, OPTIONS', 0]);
    });

    test("HEAD has the headers of GET and no body, also of a failure's", async () => {
      for (const path of ['/tiller/v2/version/json', '/openapi.json', '/', `${release}/status/json`]) {
        const [get, head] = [await ask(gateway, 'GET', path), await ask(gateway, 'HEAD', path)];
        assert.equal(head.status, get.status, path);
        for (const name of ['content-type', 'content-length'])
          assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`);
        assert.equal(head.body.length, 0);
      }
    });

    test('a body over the limit is 413, announced or not, and the next request is served', async () => {
      const before = stub.callsOf('InstallRelease').length;
      const body = Buffer.alloc(3 * 1024 * 1024, ' ');
      const announced = { 'content-length': String(body.length) };
      for (const headers of [announced, {}]) {
        const answer = await ask(gateway, 'POST', `${release}/json`, { headers, body });
        assert.equal(answer.status, 413);
        assert.deepEqual(json(answer), {
          code: 8,
          message: 'the request body is over the limit of 1048576 bytes',
          reason: 'BODY_TOO_LARGE',
        });
      }
      assert.equal((await ask(gateway, 'GET', '/tiller/v2/version/json')).status, 200);
      assert.equal(stub.callsOf('InstallRelease').length, before);
      if (version !== 'HTTP/2') return;
      const session = connect(gateway.url);
      const stream = session.request({ ':method': 'POST', ':path': `${release}/json` });
      stream.resume().end(body); // more than fits the window: without a reset it would stay open
      await eventually(() => stream.closed);
      assert.equal(stream.rstCode, 0);
      session.destroy();
    });

    test('bodies that cannot be read are 400 and say why', async () => {
      const cases: [Asked, RegExp][] = [
        [{ body: '{"values":{"raw":1}}' }, /^values\.raw: expected a string, got a number$/],
        [{ body: '{"chart":' }, /line 1, column 10/],
        [{ body: Buffer.from('{"name":"\xff"}', 'latin1') }, /not UTF-8/],
        [{ body: 'x', headers: { 'content-encoding': 'gzip' } }, /Content-Encoding: "gzip"/],
        [{ body: JSON.stringify({ chart: {} }) }, /^chart\.metadata: is missing$/],
        [
          { body: JSON.stringify({ chart: { ...chart, dependencies: [chart, {}] } }) },
          /^chart\.dependencies\[1\]\.metadata: is missing$/,
        ],
      ];
      for (const [asked, message] of cases) {
        const answer = await ask(gateway, 'POST', `${release}/json`, asked);
        assert.deepEqual([answer.status, json(answer).code], [400, 3]);
        assert.match(json(answer).message, message);
      }
    });

    test('Grpc-Timeout: malformed is 400, passed is 504, huge is bounded, fine is sent on', async () => {
      const timeout = (value: string) =>
        ask(gateway, 'POST', `${release}/rollback/json`, { headers: { 'grpc-timeout': value }, body: '{}' });
      for (const value of ['soon', '1', '-1S', '123456789S', '1.5S', '5s']) {
        const answer = await timeout(value);
        assert.equal(answer.status, 400, value);
        assert.match(json(answer).message, /^Grpc-Timeout: /);
      }
      assert.equal((await timeout('0S')).status, 504);
      assert.equal((await timeout('99999999H')).status, 200);
      assert.equal((await timeout('20S')).status, 200);
      const { deadline } = stub.callsOf('RollbackRelease').at(-1) ?? {};
      const leftMs = Number(deadline) - Date.now();
      assert.ok(leftMs > 0 && leftMs <= 20_000, `${leftMs} ms left`);
    });

    test('X-Request-Id is taken where it is fit for a log, and made where not', async () => {
      const idOf = async (given: string) =>
        (await ask(gateway, 'GET', '/', { headers: { 'x-request-id': given } })).headers['x-request-id'];
      assert.equal(await idOf('abc-1.2:3@x/y+z='), 'abc-1.2:3@x/y+z=');
      for (const given of ['a b', 'x'.repeat(129), '"}', ''])
        assert.match(String(await idOf(given)), /^[\w-]{36}$/);
    });

    test('large answers are compressed for those who take it, small ones never', async () => {
      const gzip = { headers: { 'accept-encoding': 'gzip' } };
      const plain = await ask(gateway, 'GET', '/openapi.json');
      const small = await ask(gateway, 'GET', '/openapi.json', gzip);
      assert.equal(small.headers['content-encoding'], 'gzip');
      assert.equal(Number(small.headers['content-length']), small.body.length);
      assert.deepEqual(gunzipSync(small.body), plain.body);
      assert.equal(plain.headers.vary, 'Accept-Encoding');
      const version = await ask(gateway, 'GET', '/tiller/v2/version/json', gzip);
      assert.equal(version.headers['content-encoding'], undefined);
    });

    test('?pretty indents answers and errors alike', async () => {
      assert.match(
        (await ask(gateway, 'GET', '/tiller/v2/version/json?pretty')).body.toString(),
        /^{\n {2}"/,
      );
      assert.match(
        (await ask(gateway, 'GET', `${release}/status/json?pretty=true`)).body.toString(),
        /^{\n {2}"code": 5/,
      );
      assert.match(
        (await ask(gateway, 'GET', '/tiller/v2/version/json?pretty=false')).body.toString(),
        /^{"/,
      );
    });

    test('a form: an archive that is none, fields of fields, a part without a name', async () => {
      const part = (disposition: string, content: string) =>
        `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
      const post = (body: string) =>
        ask(gateway, 'POST', `${release}/json`, {
          headers: { 'content-type': 'multipart/form-data; boundary=b' },
          body: `${body}--b--\r\n`,
        });
      const fine = await post(
        part('name="chart"', JSON.stringify(chart)) + part('name="values.raw"', 'a: b'),
      );
      assert.equal(fine.status, 200);
      const sent = decodeMessage(
        'hapi.services.tiller.InstallReleaseRequest',
        stub.callsOf('InstallRelease').at(-1)?.request ?? Buffer.alloc(0),
      );
      assert.deepEqual([sent.name, sent.chart?.metadata?.name, sent.values?.raw], ['alpha', 'x', 'a: b']);
      assert.equal((await post(part('name="chart_archive"; filename="x.tgz"', 'no gzip'))).status, 400);
      assert.equal(json(await post(part('filename="x"', 'a'))).message, 'a part of the form has no name');
      assert.equal((await post(part('name="chart"', '{').slice(0, -30))).status, 400);
    });
  });

  describe(`streams over ${version}`, () => {
    test('line by line: each is there before the next is sent; the error comes last', async t => {
      const gateway = await startWholeGateway(t, stub);
      let goOn = () => {};
      stub.answer('RunReleaseTest', {
        status: 2,
        message: 'release: "x" not found',
        responses: (async function* () {
          yield testLine('one');
          await new Promise<void>(resolve => {
            goOn = resolve;
          });
          yield testLine('two');
        })(),
      });
      const session = version === 'HTTP/2' ? connect(gateway.url) : undefined;
      t.after(() => session?.close());
      const path = `${release}/test/json`;
      const stream = session
        ? session.request({ ':method': 'POST', ':path': path }, { endStream: true })
        : (
            await once(
              httpRequest({ port: gateway.port, path, method: 'POST', agent: false }).end(),
              'response',
            )
          )[0];
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text === '{"result":{"msg":"one"}}\n') goOn();
      });
      await once(stream, 'end');
      const [one, two, last = ''] = text.split('\n');
      assert.deepEqual([one, two], ['{"result":{"msg":"one"}}', '{"result":{"msg":"two"}}']);
      const { error } = JSON.parse(last);
      assert.deepEqual([error.code, error.message], [5, 'release: "x" not found']);
      assert.match(error.reason, /NOT_FOUND$/);
    });

    test('a failure before the first line has its HTTP status', async t => {
      const gateway = await startWholeGateway(t, stub);
      stub.answer('RunReleaseTest', { status: 2, message: 'release: "nope" not found' });
      const answer = await ask(gateway, 'POST', '/tiller/v2/releases/nope/test/json');
      assert.equal(answer.status, 404);
      assert.equal(answer.headers['content-type'], 'application/x-ndjson');
      const { error } = json(answer);
      assert.deepEqual([error.code, error.message], [5, 'release: "nope" not found']);
      assert.match(error.reason, /NOT_FOUND$/);
    });

    test('a slow client slows Tiller down instead of filling memory', async t => {
      const gateway = await startWholeGateway(t, stub);
      const line = testLine('x'.repeat(64 * 1024));
      const wanted = 500;
      let taken = 0;
      stub.answer('RunReleaseTest', {
        responses: (function* () {
          for (; taken < wanted; taken++) yield line;
        })(),
      });
      const session = version === 'HTTP/2' ? connect(gateway.url) : undefined;
      t.after(() => session?.close());
      const path = `${release}/test/json`;
      const stream = session
        ? session.request({ ':method': 'POST', ':path': path }, { endStream: true })
        : (
            await once(
              httpRequest({ port: gateway.port, path, method: 'POST', agent: false }).end(),
              'response',
            )
          )[0];
      stream.pause();
      await whenStill(() => taken);
      assert.ok(taken < wanted, `${taken} lines of 64 KiB were taken from Tiller`);
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.resume();
      await once(stream, 'end');
      assert.equal(taken, wanted);
      assert.ok(bytes > wanted * 64 * 1024);
    });
  });
}

test('--disable-get-rollback leaves POST and PUT', async t => {
  const gateway = await startWholeGateway(t, stub, ['--disable-get-rollback']);
  const path = `${release}/rollback/json`;
  const refused = await askHttp1(gateway, 'GET', path);
  assert.deepEqual([refused.status, refused.headers.allow], [405, 'POST, PUT, OPTIONS']);
  for (const verb of ['POST', 'PUT'])
    assert.equal((await askHttp1(gateway, verb, path, { body: '{}' })).status, 200);
  const open = await startWholeGateway(t, stub);
  assert.equal((await askHttp1(open, 'GET', path)).status, 200);
});
