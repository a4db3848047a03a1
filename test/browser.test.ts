/** The fetch of a real browser, from a page of another origin, with CORS on and off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Records } from '../src/backends/index.ts';
import { encodeMessage } from '../src/codec/schema.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import { eventually } from './support/eventually.ts';
import { FakeRecords } from './support/fake-records.ts';
import { startTestGateway } from './support/gateway.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

/** What the page sees of an answer, or that it sees none. */
type Seen = { status: number; requestId: string | null; body: string } | { failed: string };

let browser: Browser;
let page: Page;
let site: Server;
let stub: StubTiller;

describe('a browser', { skip: noBrowser }, () => {
  before(async () => {
    const lines = ['RUNNING: a', 'PASSED: a'].map(msg =>
      encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg }),
    );
    stub = await startStubTiller({
      replies: {
        UpdateRelease: { responses: [encodeMessage('hapi.services.tiller.UpdateReleaseResponse', {})] },
        GetReleaseStatus: { status: 2, message: 'release: "nope" not found' },
        RunReleaseTest: { responses: lines, betweenMs: 20 },
      },
    });
    site = createServer((_request, response) => response.end('<!doctype html><title>a dashboard</title>'));
    await once(site.listen(0, '127.0.0.1'), 'listening');
    browser = await startBrowser();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  });

  after(async () => {
    await page?.close();
    site?.closeAllConnections();
    site?.close();
    await stub?.stop();
  });

  /** Runs fetch in the page. */
  function fetchInPage(url: string, options: object = {}): Promise<Seen> {
    const run = async ([address, init]: [string, object]): Promise<Seen> => {
      try {
        const response = await fetch(address, init);
        const requestId = response.headers.get('x-request-id');
        return { status: response.status, requestId, body: await response.text() };
      } catch (error) {
        return { failed: String(error) };
      }
    };
    return page.evaluate(run, [url, options] as [string, object]);
  }

  const update = {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'grpc-timeout': '30S', 'x-request-id': 'from-a-page' },
    body: '{"chart":{"metadata":{"name":"x"}}}',
  };

  test('CORS on: simple requests, preflights, streams, and the texts of errors', async t => {
    const { url } = await startWholeGateway(t, stub, ['--enable-cors']);
    const version = await fetchInPage(`${url}/tiller/v2/version/json`);
    assert.ok('status' in version && version.status === 200 && version.body.includes('v2.17.0'));
    assert.deepEqual(await fetchInPage(`${url}/tiller/v2/releases/a/json`, update), {
      status: 200,
      requestId: 'from-a-page',
      body: '{}',
    });
    const tests = await fetchInPage(`${url}/tiller/v2/releases/a/test/json`, { method: 'POST' });
    assert.equal('body' in tests && tests.body.trimEnd().split('\n').length, 2);
    for (const path of ['/tiller/v2/releases/nope/status/json', '/nothing']) {
      const missing = await fetchInPage(url + path);
      assert.ok('status' in missing && missing.status === 404 && missing.body.includes('"code":5'), path);
    }
  });

  test('CORS on for other hosts only: the page sees nothing', async t => {
    const { url } = await startWholeGateway(t, stub, ['--enable-cors', '--cors-origin-host=example.test']);
    assert.ok('failed' in (await fetchInPage(`${url}/tiller/v2/version/json`)));
  });

  test('CORS off: the page sees nothing, and what needs a preflight never reaches Tiller', async t => {
    const { url } = await startWholeGateway(t, stub);
    const before = stub.callsOf('UpdateRelease').length;
    assert.ok('failed' in (await fetchInPage(`${url}/tiller/v2/version/json`)));
    assert.ok('failed' in (await fetchInPage(`${url}/tiller/v2/releases/a/json`, update)));
    assert.equal(stub.callsOf('UpdateRelease').length, before);
  });

  test('EventSource: events by name, a snapshot, and resuming by itself after the connection was lost', async t => {
    const records = new FakeRecords();
    records.put({ name: 'a' });
    await using gateway = await startTestGateway('127.0.0.1:9', {
      records: records as unknown as Records,
      http: { cors: { enabled: true, originHosts: ['*'], allowSubdomains: false } },
    });
    const live = await browser.newPage();
    t.after(() => live.close());
    await live.goto(page.url()); // a dashboard of another origin
    await live.evaluate(url => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const source = new EventSource(url);
      for (const name of ['snapshot', 'snapshot-end', 'added', 'modified', 'deleted', 'reset', 'end'])
        source.addEventListener(name, event => {
          const { release } = JSON.parse((event as MessageEvent).data) as { release?: { name: string } };
          seen.push(release ? `${name} ${release.name}` : name);
        });
    }, `${gateway.url}/tiller/v2/releases/watch/json?snapshot=true&all=true`);
    const saw = (events: readonly string[]) =>
      eventually(async () => {
        const seen = await live.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
        return JSON.stringify(seen) === JSON.stringify(events);
      });
    await saw(['snapshot a', 'snapshot-end']);
    records.put({ name: 'b' });
    await saw(['snapshot a', 'snapshot-end', 'added b']);
    gateway.closeConnections();
    records.put({ name: 'c' });
    records.delete('a');
    await saw(['snapshot a', 'snapshot-end', 'added b', 'added c', 'deleted a']);
  });

  test('the landing page and its relative links', async t => {
    const { url } = await startWholeGateway(t, stub);
    const landing = await browser.newPage();
    await landing.goto(`${url}/`);
    assert.equal(await landing.title(), 'tiller-gateway');
    await landing.getByRole('link', { name: 'tiller/v2/version/json' }).click();
    await landing.waitForURL(`${url}/tiller/v2/version/json`);
    assert.match(await landing.locator('body').innerText(), /v2\.17\.0/);
    await landing.close();
  });
});
