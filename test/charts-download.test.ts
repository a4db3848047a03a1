import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ChartOptions } from '../src/charts/chart/chart-options.ts';
import type { Charts } from '../src/charts/index.ts';
import { decodeMessage } from '../src/codec/schema.ts';
import { GatewayError } from '../src/protocol/index.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { sendWithEtag, startServer, type TestServer } from './charts/repository-server.ts';
import { eventually, whenStill } from './support/eventually.ts';
import { createTestCharts } from './support/test-charts.ts';

const packed = makeChart({ 'Chart.yaml': 'name: a\nversion: 1.0.0' });

let charts: Charts;
let server: TestServer;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  server = await startServer((request, response) => answer(request, response));
  charts = createTestCharts({ allowLoopback: true });
});

afterEach(async () => {
  await charts.close();
  await server[Symbol.asyncDispose]();
});

async function fetchChart(path = '/a.tgz', given: Parameters<typeof chartRequest>[0] = {}) {
  const request = chartRequest({ chartUrl: server.url + path, ...given });
  return decodeMessage('hapi.chart.Chart', (await charts.resolve(request, noSignal)).chart);
}

async function restart(options: Partial<ChartOptions>): Promise<void> {
  await charts.close();
  charts = createTestCharts({ allowLoopback: true, ...options });
}

function refused(promise: Promise<unknown>, code: number, message: RegExp) {
  return assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof GatewayError, `${error}`);
    assert.match(error.message, message);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

describe('answers that are no chart', () => {
  for (const status of [400, 401, 403, 404, 410, 429]) {
    test(`${status} is the caller's to mend`, async () => {
      answer = (_request, response) => response.writeHead(status).end('<html>');
      await refused(fetchChart(), 3, new RegExp(`a\\.tgz: the server answered ${status}$`));
    });
  }
  for (const status of [500, 502, 503]) {
    test(`${status} is the server's`, async () => {
      answer = (_request, response) => response.writeHead(status).end();
      await refused(fetchChart(), 14, new RegExp(`the server answered ${status}$`));
    });
  }
  for (const status of [204, 206, 300, 304]) {
    test(`${status} is nothing that was asked for`, async () => {
      answer = (_request, response) => response.writeHead(status).end();
      await refused(fetchChart(), 3, new RegExp(`the server answered ${status}$`));
    });
  }

  test('an error page without end', async () => {
    answer = (_request, response) => {
      response.writeHead(404);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    };
    await refused(fetchChart(), 3, /the server answered 404$/);
  });

  test('a page', async () => {
    answer = (_request, response) => response.end('<html>');
    await refused(fetchChart(), 3, /^http:\/\/127\.0\.0\.1:\d+\/a\.tgz: does not appear to be a gzipped/);
  });

  test('no HTTP at all', async () => {
    answer = (_request, response) => response.socket?.end('hello\r\n\r\n');
    await refused(fetchChart(), 14, /cannot be reached/);
  });

  test('a connection that breaks in the middle', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('x');
      setImmediate(() => response.destroy());
    };
    await refused(fetchChart(), 14, /cannot be reached/);
  });

  test('nobody who listens', async () => {
    await refused(fetchChart('/a.tgz', { chartUrl: 'http://127.0.0.1:1/a.tgz' }), 14, /ECONNREFUSED/);
  });

  test('a host that has no address', async () => {
    await restart({ resolveHost: () => Promise.reject(new Error('ENOTFOUND')) });
    await refused(fetchChart('', { chartUrl: 'http://nowhere.test/a.tgz' }), 14, /ENOTFOUND/);
  });
});

describe('bounds', () => {
  test('a body that is too large is not read to its end', async () => {
    await restart({ maxBytes: 1000 });
    let sent = 0;
    answer = (_request, response) => {
      const more = () => {
        while (sent < 2 ** 28 && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    await refused(fetchChart(), 3, /a\.tgz: is larger than 1000 bytes/);
    assert.ok(sent < 2 ** 27, `${sent}`);
  });

  test('a server that never answers', async () => {
    await restart({ timeoutMs: 100 });
    answer = () => {};
    await refused(fetchChart(), 14, /a\.tgz: took longer than 100 ms/);
  });

  test('a server that answers one byte at a time', async () => {
    await restart({ timeoutMs: 200 });
    answer = (_request, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    };
    await refused(fetchChart(), 14, /took longer than 200 ms/);
  });

  test('a name that is never found', async () => {
    await restart({ timeoutMs: 50, resolveHost: () => new Promise(() => {}) });
    await refused(fetchChart('', { chartUrl: 'http://slow.test/a.tgz' }), 14, /took longer than 50 ms/);
  });

  test('headers without end', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end();
    };
    await refused(fetchChart(), 14, /cannot be reached: UND_ERR_HEADERS_OVERFLOW/);
  });

  test('more downloads than may run and wait', async () => {
    await restart({ concurrency: 1, maxWaiting: 1, timeoutMs: 1_500 });
    const arrived = Promise.withResolvers<void>();
    answer = () => arrived.resolve();
    const patient = Promise.allSettled([fetchChart('/1'), fetchChart('/2')]);
    await refused(fetchChart('/3'), 8, /./);
    await arrived.promise;
    assert.equal(server.requests.length, 1); // later, the second may still get its turn in its last moment
    const codes = (await patient).map(result => result.status === 'rejected' && result.reason.code);
    assert.deepEqual(codes, [14, 14]);
  });

  test('never more downloads at a time than may run', async () => {
    await restart({ concurrency: 2, maxWaiting: 100 });
    const open: ServerResponse[] = [];
    answer = (_request, response) => void open.push(response);
    const all = Promise.all(Array.from({ length: 6 }, (_, index) => fetchChart(`/${index}`)));
    for (let asked = 2; asked <= 6; asked += 2) {
      await eventually(() => server.requests.length >= asked);
      assert.equal(await whenStill(() => server.requests.length), asked);
      for (const response of open.splice(0)) response.end(packed);
    }
    await all;
  });

  test('a caller that goes away takes its download with it', async () => {
    const closed = Promise.withResolvers<void>();
    const caller = new AbortController();
    answer = (_request, response) => {
      response.on('close', closed.resolve);
      caller.abort();
    };
    const request = chartRequest({ chartUrl: `${server.url}/a.tgz` });
    await refused(charts.resolve(request, caller.signal), 1, /cancelled/);
    await closed.promise;
  });

  test('closing the room ends its downloads', async () => {
    answer = () => void charts.close();
    await refused(fetchChart(), 14, /stopping/);
  });
});

describe('redirects', () => {
  test('are followed, relative ones too', async () => {
    answer = ({ url }, response) => {
      if (url === '/end/a.tgz') response.end(packed);
      else response.writeHead(302, { location: url === '/a.tgz' ? '/middle/x' : '../end/a.tgz' }).end();
    };
    assert.equal((await fetchChart()).metadata?.name, 'a');
  });

  test('in a circle end', async () => {
    answer = ({ url }, response) =>
      response.writeHead(302, { location: url === '/a.tgz' ? '/b.tgz' : '/a.tgz' }).end();
    await refused(fetchChart(), 3, /a\.tgz: redirects more than 5 times/);
    assert.equal(server.requests.length, 6);
  });

  const bad: [string, string | undefined, RegExp][] = [
    ['without a place', undefined, /302 without a Location/],
    ['to a file', 'file:///etc/passwd', /redirects to what is no http\(s\) URL/],
    ['to a metadata address', 'http://169.254.169.254/latest/', /169\.254\.169\.254 are refused/],
    ['to a metadata address, written oddly', 'http://0xA9FEA9FE/', /169\.254\.169\.254 are refused/],
    ['to a metadata address in IPv6', 'http://[fd00:ec2::254]/', /are refused/],
    ['to a mapped address', 'http://[::ffff:169.254.169.254]/', /are refused/],
    ['to nobody', 'http://0.0.0.0/', /0\.0\.0\.0 are refused/],
  ];
  for (const [title, location, message] of bad) {
    test(title, async () => {
      answer = (_request, response) => response.writeHead(302, location ? { location } : {}).end();
      await refused(fetchChart(), 3, message);
    });
  }

  test('to another origin go without credentials', async () => {
    await using other = await startServer((_request, response) => response.end(packed));
    answer = (_request, response) => response.writeHead(307, { location: `${other.url}/a.tgz` }).end();
    await fetchChart('/a.tgz', { token: 'secret-token' });
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer secret-token');
    assert.equal(other.requests[0]?.headers.authorization, undefined);
  });

  test('to the same origin keep them', async () => {
    answer = ({ url }, response) => {
      if (url === '/a.tgz') response.writeHead(301, { location: '/b.tgz' }).end();
      else response.end(packed);
    };
    await fetchChart('/a.tgz', { username: 'u', password: 'p' });
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      [`Basic ${btoa('u:p')}`, `Basic ${btoa('u:p')}`],
    );
  });
});

describe('who may be asked', () => {
  /** A name that leads to the test's server, as DNS would have it. */
  const named = async (options: Partial<ChartOptions>) => {
    answer = (_request, response) => response.end(packed);
    await restart({
      allowLoopback: false,
      resolveHost: async () => [{ address: '127.0.0.1', family: 4 }],
      ...options,
    });
    return fetchChart('', { chartUrl: `http://charts.example.test:${server.port}/a.tgz` });
  };

  test('not loopback, whatever its name', async () => {
    await refused(named({}), 3, /charts from charts\.example\.test are refused: it has a loopback address/);
    assert.equal(server.requests.length, 0);
  });
  test('loopback where that is allowed', async () => {
    assert.equal((await named({ allowLoopback: true })).metadata?.name, 'a');
    assert.equal(server.requests[0]?.headers.host, `charts.example.test:${server.port}`);
  });
  test('a host that a rule lets through', async () => {
    assert.equal((await named({ allow: ['*.example.test'] })).metadata?.name, 'a');
  });
  test('an address that a rule lets through', async () => {
    assert.equal((await named({ allow: ['127.0.0.1'] })).metadata?.name, 'a');
  });
  test('not what is denied, though it is allowed', async () => {
    const rules = { allowLoopback: true, allow: ['charts.example.test'], deny: ['127.0.0.0/8'] };
    await refused(named(rules), 3, /denied/);
  });
  test('not a host with one bad address among good ones', async () => {
    const resolveHost = async () => ['10.0.0.1', '169.254.1.1'].map(address => ({ address, family: 4 }));
    await refused(named({ resolveHost }), 3, /link-local/);
  });

  test('a name is resolved once: it cannot change its mind before the connection', async () => {
    let lookups = 0;
    const resolveHost = async () => {
      lookups++;
      return [{ address: lookups === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    };
    assert.equal((await named({ allowLoopback: true, resolveHost })).metadata?.name, 'a');
    assert.equal(lookups, 1);
  });
});

describe('what is kept', () => {
  test('ten installs download a chart once', async () => {
    let bodies = 0;
    answer = (request, response) => {
      if (!request.headers['if-none-match']) bodies++;
      sendWithEtag(request, response, packed);
    };
    for (let round = 0; round < 10; round++) assert.equal((await fetchChart()).metadata?.name, 'a');
    assert.equal(bodies, 1);
  });

  test('ten installs at a time make one request', async () => {
    answer = (_request, response) => setTimeout(() => response.end(packed), 50);
    await Promise.all(Array.from({ length: 10 }, () => fetchChart()));
    assert.equal(server.requests.length, 1);
  });

  test('one of them going away does not disturb the others', async () => {
    const caller = new AbortController();
    answer = (_request, response) => {
      caller.abort();
      setTimeout(() => response.end(packed), 50);
    };
    const request = chartRequest({ chartUrl: `${server.url}/a.tgz` });
    const results = await Promise.allSettled([charts.resolve(request, caller.signal), fetchChart()]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
  });

  test('a changed chart is seen', async () => {
    let body = packed;
    answer = (request, response) => sendWithEtag(request, response, body);
    await fetchChart();
    body = makeChart({ 'Chart.yaml': 'name: b-is-longer-than-a' });
    assert.equal((await fetchChart()).metadata?.name, 'b-is-longer-than-a');
  });

  test('a date will do as well', async () => {
    answer = (request, response) => {
      const since = request.headers['if-modified-since'];
      response.setHeader('last-modified', 'Wed, 01 Jan 2020 00:00:00 GMT');
      if (since) response.writeHead(304).end();
      else response.end(packed);
    };
    await fetchChart();
    assert.equal((await fetchChart()).metadata?.name, 'a');
  });

  test('what was fetched with credentials is not for who has others', async () => {
    answer = (request, response) => {
      if (request.headers.authorization === 'Bearer right') sendWithEtag(request, response, packed);
      else response.writeHead(401).end();
    };
    await fetchChart('/a.tgz', { token: 'right' });
    await refused(fetchChart('/a.tgz', { token: 'wrong' }), 3, /401/);
    await refused(fetchChart(), 3, /401/);
  });

  test('nothing beyond the bound', async () => {
    await restart({ cacheBytes: 10 });
    answer = (request, response) => sendWithEtag(request, response, packed);
    await fetchChart();
    await fetchChart();
    assert.ok(server.requests.every(({ headers }) => headers['if-none-match'] === undefined));
  });
});

describe('no secret in a message', () => {
  test('user info and query stay out', async () => {
    answer = (_request, response) => response.writeHead(403).end();
    const chartUrl = `http://user:pa55@127.0.0.1:${server.port}/a.tgz?signature=s3cret#f`;
    await assert.rejects(fetchChart('', { chartUrl }), (error: unknown) => {
      assert.doesNotMatch(String((error as Error).message), /user|pa55|s3cret|signature/);
      return true;
    });
    assert.equal(server.requests[0]?.headers.authorization, `Basic ${btoa('user:pa55')}`);
    assert.equal(server.requests[0]?.url, '/a.tgz?signature=s3cret');
  });

  test('nor of a URL without a scheme', async () => {
    const chartUrl = 'user:pa55@charts.example.test/a.tgz?signature=s3cret';
    await refused(fetchChart('', { chartUrl }), 3, /^chart_url "charts\.example\.test\/a\.tgz" is no http/);
  });

  test('nor a URL that cannot be read', async () => {
    await refused(fetchChart('', { chartUrl: 'http://user:pa55@:x/' }), 3, /^the chart URL cannot be read$/);
  });
});

test('the connection does not outlive the request', async () => {
  answer = (_request, response) => response.end(packed);
  await fetchChart();
  const [request] = server.requests;
  if (request && !request.socket.destroyed) await once(request.socket, 'close');
});

test('charts that are fetched for another one are together no larger than a chart may be', async () => {
  const size = 100_000;
  const archiveOf = (name: string) =>
    makeChart({ 'Chart.yaml': `name: ${name}\nversion: 1.0.0\n`, noise: randomBytes(size) }, name);
  const names = Array.from({ length: 20 }, (_, index) => `part-${index}`);
  const entries = names.map(name => `  ${name}: [{name: ${name}, version: 1.0.0, urls: [${name}.tgz]}]\n`);
  await using server = await startServer(({ url = '' }, response) => {
    const name = url.slice(1, -4);
    response.end(names.includes(name) ? archiveOf(name) : `apiVersion: v1\nentries:\n${entries.join('')}`);
  });
  const requirements = names.map(name => `{name: ${name}, version: 1.0.0, repository: "${server.url}"}`);
  const parent = makeChart({
    'Chart.yaml': 'name: parent\nversion: 1.0.0\n',
    'requirements.yaml': `dependencies: [${requirements.join(', ')}]\n`,
  });
  const request = chartRequest({ chartArchive: parent, dependencyUpdate: true });
  const small = createTestCharts({ allowLoopback: true, maxUnpackedBytes: 5 * size });
  await assert.rejects(small.resolve(request, noSignal), /larger than 500000 bytes when unpacked/);
  assert.equal(server.requests.filter(({ url }) => url?.endsWith('.tgz')).length, 5);
  const large = createTestCharts({ allowLoopback: true });
  await large.resolve(request, noSignal);
  await Promise.all([small.close(), large.close()]);
});
