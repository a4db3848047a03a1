/** A real browser on pages that attack a gateway which only its visitor reaches: CSRF and DNS rebinding. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { encodeMessage } from '../src/codec/schema.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const writes = ['InstallRelease', 'UpdateRelease', 'RollbackRelease', 'UninstallRelease', 'RunReleaseTest'];
const chart = '{"chart":{"metadata":{"name":"x"}}}';
/** Browsers say where a request to this name comes from in no header, since it is neither https nor loopback. */
const plainName = 'gateway.test';
const flags = [`--allowed-hosts=${plainName}`, '--drain-timeout=100ms'];

let browser: Browser;
let site: Server;
let stub: StubTiller;

/** What pages can send to another origin without its consent: gives how much was sent. Runs in the page. */
const attack = `async (url, body) => {
  const release = url + '/tiller/v2/releases/a';
  const rollback = release + '/rollback/json?version=1';
  let sent = 0;
  const send = (address, init) => {
    sent++;
    return fetch(address, { mode: 'no-cors', ...init }).catch(() => {});
  };
  const form = new FormData();
  form.append('chart', JSON.stringify(JSON.parse(body).chart));
  const simple = [
    send(release + '/json', { method: 'POST', body }),
    send(release + '/json', { method: 'POST', body: new Blob([body]) }),
    send(release + '/json', { method: 'POST', body: new URLSearchParams({ [body]: '' }) }),
    send(release + '/json', { method: 'POST', body: form }),
    send(release + '/rollback/json', { method: 'POST' }),
    send(release + '/test/json', { method: 'POST', referrerPolicy: 'no-referrer' }),
    send(rollback, {}),
    send(rollback, { referrerPolicy: 'no-referrer' }),
    send(rollback, { method: 'HEAD' }),
    send(release + '/json', { method: 'DELETE', mode: 'cors' }),
    send(release + '/json', { method: 'PUT', mode: 'cors', body }),
  ];
  navigator.sendBeacon(release + '/json', body);
  const add = (tag, attributes) => {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    document.body.append(element);
    sent++;
    return element;
  };
  for (const referrerpolicy of ['unsafe-url', 'no-referrer']) {
    for (const tag of ['img', 'script', 'iframe', 'video']) add(tag, { referrerpolicy, src: rollback });
    add('object', { data: rollback });
    for (const enctype of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) {
      const target = add('iframe', { name: enctype + referrerpolicy }).name;
      const rel = referrerpolicy === 'no-referrer' ? 'noreferrer' : 'opener';
      const form = add('form', { action: release + '/json', method: 'POST', enctype, target, rel });
      const field = document.createElement('input');
      // as text/plain a field is written NAME=VALUE, which is JSON where the equals sign stands within a string
      if (enctype === 'text/plain') [field.name, field.value] = [body.slice(0, -1) + ',"description":"', '"}'];
      else [field.name, field.value] = ['chart', JSON.stringify(JSON.parse(body).chart)];
      form.append(field);
      form.submit();
    }
  }
  await Promise.all(simple);
  await new Promise(resolve => setTimeout(resolve, 500));
  return sent;
}`;

describe('a browser that is led to attack the gateway', { skip: noBrowser }, () => {
  before(async () => {
    stub = await startStubTiller({
      replies: {
        ListReleases: { responses: [encodeMessage('hapi.services.tiller.ListReleasesResponse', {})] },
        '*': { responses: [Buffer.alloc(0)] },
      },
    });
    site = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>a page</title><body></body>');
    });
    await once(site.listen(0, '127.0.0.1'), 'listening');
    browser = await startBrowser();
  });

  after(async () => {
    site?.closeAllConnections();
    site?.close();
    await stub?.stop();
  });

  const writesSent = () => writes.reduce((sum, method) => sum + stub.callsOf(method).length, 0);

  /** But for the gateway's own question whether Tiller is there. */
  const callsSent = () => stub.calls.filter(({ method }) => method !== 'GetVersion').length;

  async function openPage(t: TestContext, url: string): Promise<Page> {
    // the gateway's own pages may not run scripts; a dashboard on its origin may
    const page = await browser.newPage({ bypassCSP: true });
    t.after(() => page.close());
    await page.goto(url);
    return page;
  }

  for (const host of ['127.0.0.1', 'localhost', plainName]) {
    test(`a page of another origin changes nothing at http://${host}`, async t => {
      const { port, lines } = await startWholeGateway(t, stub, [...flags, '--access-log']);
      const page = await openPage(t, `http://evil.test:${(site.address() as AddressInfo).port}/`);
      const before = writesSent();
      const sent = await page.evaluate(`(${attack})('http://${host}:${port}', '${chart}')`);
      assert.ok(Number(sent) > 25);
      assert.equal(writesSent(), before, lines.join(''));
    });

    test(`the gateway's own page may do everything at http://${host}`, async t => {
      const { port } = await startWholeGateway(t, stub, flags);
      const page = await openPage(t, `http://${host}:${port}/`);
      const before = writesSent();
      const statuses = await page.evaluate(async body => {
        const release = '/tiller/v2/releases/a';
        const headers = { 'content-type': 'application/json' };
        const form = new FormData();
        form.append('chart', '{"metadata":{"name":"x"}}');
        const requests: [string, RequestInit][] = [
          [`${release}/json`, { method: 'POST', headers, body }],
          [`${release}/json`, { method: 'POST', body: form }],
          [`${release}/json`, { method: 'PUT', headers, body }],
          [`${release}/rollback/json`, { method: 'POST' }],
          [`${release}/rollback/json?version=1`, {}],
          [`${release}/json`, { method: 'DELETE' }],
          [`${release}/json`, { method: 'POST', body }],
        ];
        const seen: number[] = [];
        for (const [address, init] of requests) seen.push((await fetch(address, init)).status);
        return seen;
      }, chart);
      // by GET a browser says nothing of where it comes from to a plain name; the last one is text/plain
      const byGet = host === plainName ? 403 : 200;
      assert.deepEqual(statuses, [200, 200, 200, 200, byGet, 200, 415]);
      assert.equal(writesSent(), before + (byGet === 200 ? 6 : 5));
    });
  }

  test('a page whose name is pointed to the gateway later reads and changes nothing', async t => {
    // a name that leads from the attacker's server to the gateway: here both have the address, one after the other
    const attacker = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>a page</title>');
    });
    await once(attacker.listen(0, '127.0.0.1'), 'listening');
    const { port } = attacker.address() as AddressInfo;
    const page = await openPage(t, `http://evil.test:${port}/`);
    attacker.closeAllConnections();
    attacker.close();
    await once(attacker, 'close');
    await startWholeGateway(t, stub, [`--addr=127.0.0.1:${port}`, '--drain-timeout=100ms']);
    const before = callsSent();
    const seen = await page.evaluate(async body => {
      const headers = {
        'content-type': 'application/json',
        'x-forwarded-uri': '/api/v1/namespaces/kube-system/services/swift:http/proxy/',
      };
      const release = '/tiller/v2/releases/a';
      const requests: [string, RequestInit][] = [
        ['/', {}],
        ['/tiller/v2/releases/json', {}],
        ['/tiller/v2/releases/json', { headers }],
        ['/metrics', {}],
        ['/healthz', {}],
        [`${release}/content/json`, {}],
        [`${release}/json`, { method: 'POST', headers, body }],
        [`${release}/json`, { method: 'DELETE' }],
        [`${release}/rollback/json?version=1`, {}],
        [
          '/appscode.swift.v2.ReleaseService/GetVersion',
          { method: 'POST', headers: { 'content-type': 'application/grpc-web+proto' }, body: '\0\0\0\0\0' },
        ],
      ];
      const statuses: number[] = [];
      for (const [address, init] of requests) {
        const { status } = await fetch(address, init);
        statuses.push(status);
      }
      return statuses;
    }, chart);
    assert.deepEqual(new Set(seen), new Set([421]));
    assert.equal(seen.length, 10);
    assert.equal(callsSent(), before);
    const upgraded = await page.evaluate(`new Promise(resolve => {
      const socket = new WebSocket(location.origin.replace('http', 'ws') + '/clusters/a/x');
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    })`);
    assert.equal(upgraded, 'refused');
  });
});
