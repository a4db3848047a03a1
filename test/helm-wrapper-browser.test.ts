/** A small dashboard, written against helm-wrapper's API, at work in a real browser: a page of another origin. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeChart } from './charts/make-archive.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { noBrowser, startBrowser } from './support/browser.ts';
import { startGatewayWith } from './support/whole-gateway.ts';

const dashboard = readFileSync(new URL('./support/helm-wrapper-dashboard.html', import.meta.url));
const chart = (version: string) =>
  makeChart(
    {
      'Chart.yaml': `name: web\nversion: ${version}\ndescription: A web server\n`,
      'values.yaml': 'replicas: 2\n',
      'README.md': 'How to use it',
      'templates/NOTES.txt': '{{ .Values.replicas }} replicas',
      'templates/cm.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {replicas: "{{ .Values.replicas }}"}\n',
    },
    'web',
  );
const index =
  'apiVersion: v1\nentries: {web: [{name: web, version: 1.4.2, description: A web server, urls: [web-1.4.2.tgz]}]}';

describe('a dashboard of helm-wrapper', { skip: noBrowser }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  const closes: (() => Promise<void>)[] = [];
  let site: TestServer;
  let page: Page;

  before(async () => {
    site = await startServer(({ url = '' }, response) => {
      if (url.startsWith('/dashboard')) response.setHeader('content-type', 'text/html').end(dashboard);
      else response.end(url === '/charts/index.yaml' ? index : chart('1.4.2'));
    });
    const gateway = await startGatewayWith({ after: close => closes.push(close) }, [
      '--connector=sandbox',
      '--dialects=helm-wrapper',
      `--chart-repo=stable=${site.url}/charts`,
      `--chart-upload-dir=${folder}`,
      '--chart-allow-loopback',
      '--enable-cors',
      `--cors-origin-host=127.0.0.1:${site.port}`,
    ]);
    page = await (await startBrowser()).newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(`${site.url}/dashboard?api=${encodeURIComponent(gateway.url)}`);
  });

  after(async () => {
    await page?.close();
    for (const close of closes) await close();
    await site?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const shows = (place: string, text: string) => page.locator(`#${place}`, { hasText: text }).waitFor();
  const row = (text: string) => page.locator('#releases tr', { hasText: text });
  const install = async (name: string, of: string) => {
    await page.fill('#install [name=name]', name);
    await page.fill('#install [name=chart]', of);
    await page.click('#install button');
  };

  test('searches charts and shows what they are', async () => {
    await shows('repositories', `stable (${site.url}/charts)`);
    await page.fill('[name=keyword]', 'WEB');
    await page.click('#search button');
    await shows('charts', 'stable/web 1.4.2: A web server');
    await page.click('#charts button');
    await shows('readme', 'How to use it');
    assert.equal(await page.inputValue('#install [name=chart]'), 'stable/web');
  });

  test('installs, and shows an error in Helm’s words', async () => {
    await page.fill('[name=set]', 'replicas=3');
    await install('first', 'stable/web');
    await row('first 1 deployed web-1.4.2').getByText('Notes').click();
    await shows('readme', '3 replicas');
    await install('first', 'stable/web');
    await shows('error', 'cannot re-use a name that is still in use');
    await install('second', 'stable/nope');
    await shows('error', 'no chart named "nope"');
  });

  test('uploads a chart and upgrades to it', async () => {
    const file = { name: 'web-1.5.0.tgz', mimeType: 'application/gzip', buffer: chart('1.5.0') };
    await page.setInputFiles('#upload [name=chart]', file);
    await page.click('#upload button');
    await shows('uploads', 'web-1.5.0.tgz');
    await page.fill('#install [name=chart]', 'web-1.5.0.tgz');
    await row('first').getByText('Upgrade').click();
    await row('first 2 deployed web-1.5.0').getByText('Notes').click();
    await shows('readme', '5 replicas');
  });

  test('rolls back, shows the history, and uninstalls', async () => {
    await row('first').getByText('Roll back').click();
    await row('first 3 deployed web-1.4.2').getByText('History').click();
    await shows('history', '3: Rollback to 1');
    assert.equal(await page.locator('#history li').count(), 3);
    await row('first').getByText('Uninstall').click();
    await row('first').waitFor({ state: 'detached' });
    assert.equal(await page.textContent('#error'), '');
  });
});
