import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Charts } from '../src/charts/index.ts';
import { decodeMessage } from '../src/codec/schema.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { createTestCharts } from './support/test-charts.ts';

const metadata = 'name: a\nversion: 1.0.0\n';

let outside: string;
let root: string;
let charts: Charts;

before(() => {
  outside = mkdtempSync(join(tmpdir(), 'charts-'));
  root = join(outside, 'charts');
  write({
    'secret/Chart.yaml': metadata,
    'secret.tgz': makeChart({ 'Chart.yaml': metadata }),
    'charts/packed-1.0.0.tgz': makeChart({ 'Chart.yaml': metadata }),
    'charts/large.tgz': Buffer.alloc(5000),
    'charts/web/Chart.yaml': metadata,
    'charts/web/values.yaml': 'v: 1\n',
    'charts/web/.helmignore': '# comment\n\n*.bak\n/docs/\nnotes.txt\n',
    'charts/web/templates/x.yaml': 'x',
    'charts/web/templates/.hidden': '',
    'charts/web/templates/x.bak': '',
    'charts/web/docs/long.md': '',
    'charts/web/config/docs/kept.md': '',
    'charts/web/config/notes.txt': '',
    'charts/web/charts/child.tgz': makeChart({ 'Chart.yaml': 'name: child' }),
    'charts/badignore/Chart.yaml': metadata,
    'charts/badignore/.helmignore': '**/x\n',
    'charts/linked/Chart.yaml': metadata,
    'charts/empty/README.md': '',
    'charts/circle/Chart.yaml': metadata,
    'charts/within/Chart.yaml': metadata,
    'charts/pipe/Chart.yaml': metadata,
  });
  symlinkSync(join(outside, 'secret.tgz'), join(root, 'link.tgz'));
  symlinkSync(join(outside, 'secret'), join(root, 'linkdir'));
  symlinkSync('/etc/hostname', join(root, 'linked/file'));
  symlinkSync('.', join(root, 'circle/again'));
  symlinkSync('../web/values.yaml', join(root, 'within/values.yaml'));
  execFileSync('mkfifo', [join(root, 'pipe/fifo')]);
  charts = createTestCharts({ chartDir: root, maxBytes: 4000 });
});

after(async () => {
  await charts.close();
  rmSync(outside, { recursive: true });
});

function write(files: Record<string, string | Uint8Array>): void {
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(join(outside, dirname(name)), { recursive: true });
    writeFileSync(join(outside, name), data);
  }
}

async function load(chartUrl: string) {
  const { chart } = await charts.resolve(chartRequest({ chartUrl }), noSignal);
  return decodeMessage('hapi.chart.Chart', chart);
}

describe('a chart below the folder', () => {
  const forms: [string, () => string][] = [
    ['packed', () => 'packed-1.0.0.tgz'],
    ['with a dot', () => './packed-1.0.0.tgz'],
    ['by its whole path', () => join(root, 'packed-1.0.0.tgz')],
    ['by a file: URL', () => pathToFileURL(join(root, 'packed-1.0.0.tgz')).href],
    ['through the folder above', () => 'web/../packed-1.0.0.tgz'],
    ['not packed', () => 'web'],
    ['with a link that stays inside', () => 'within'],
  ];
  for (const [title, form] of forms) {
    test(title, async () => assert.equal((await load(form())).metadata?.name, 'a'));
  }

  test('leaves out what .helmignore names', async () => {
    const chart = await load('web');
    assert.deepEqual(
      chart.templates.map(({ name }) => name),
      ['templates/x.yaml'],
    );
    assert.deepEqual(
      chart.files.map(({ type_url }) => type_url),
      ['.helmignore', 'config/docs/kept.md'],
    );
    assert.equal(chart.values?.raw, 'v: 1\n');
    assert.equal(chart.dependencies[0]?.metadata?.name, 'child');
  });
});

describe('what is not read', () => {
  const outsideFolder = /is no http\(s\) URL, .* and no path below the gateway's --chart-dir/;
  const cases: [string, () => string, RegExp][] = [
    ['a folder above', () => '../secret', outsideFolder],
    ['an archive above', () => '../secret.tgz', outsideFolder],
    ['an absolute path', () => join(outside, 'secret.tgz'), outsideFolder],
    ['a file: URL', () => 'file:///etc/passwd', outsideFolder],
    ['a link to an archive', () => 'link.tgz', outsideFolder],
    ['a link to a folder', () => 'linkdir', outsideFolder],
    ['nothing', () => 'none.tgz', outsideFolder],
    ['a NUL', () => 'a\0b', outsideFolder],
    ['a chart with a link out of the folder', () => 'linked', /a link leads out/],
    ['a folder without Chart.yaml', () => 'empty', /no Chart\.yaml exists/],
    ['a circle of links', () => 'circle', /nested deeper|more than/],
    ['a pipe', () => 'pipe', /neither file nor folder/],
    ['an archive that is too large', () => 'large.tgz', /larger than 4000 bytes/],
    ['a broken .helmignore', () => 'badignore', /double-star/],
  ];
  for (const [title, form, message] of cases) {
    test(title, () => assert.rejects(load(form()), { name: 'GatewayError', code: 3, message }));
  }

  test('a file whose place a link takes while it is read', async () => {
    write({
      'secret.yaml': 'secret: 1\n',
      'charts/flip/Chart.yaml': metadata,
      'charts/flip/values.yaml': 'v: 1\n',
    });
    const [file, kept, link] = ['values.yaml', '.kept', '.link'].map(name => join(root, 'flip', name)) as [
      string,
      string,
      string,
    ];
    write({ 'charts/flip/.helmignore': '.*\n' });
    const flip = `const fs = require('node:fs');
      const [secret, file, kept, link] = process.argv.slice(1);
      const isOver = Date.now() + 20_000;
      while (Date.now() < isOver) {
        fs.symlinkSync(secret, link);
        fs.renameSync(link, file);
        fs.writeFileSync(kept, 'v: 1\\n');
        fs.renameSync(kept, file);
      }`;
    const flipping = spawn(process.execPath, ['-e', flip, join(outside, 'secret.yaml'), file, kept, link]);
    try {
      for (let round = 0; round < 80; round++) {
        const result = await load('flip').catch((error: Error) => error);
        if (result instanceof Error) assert.match(result.message, /a link leads out|cannot be read/);
        else assert.notEqual(result.values?.raw, 'secret: 1\n');
      }
    } finally {
      flipping.kill();
    }
  });

  test('anything, where there is no --chart-dir', async () => {
    const without = createTestCharts();
    await assert.rejects(without.resolve(chartRequest({ chartUrl: root }), noSignal), { code: 3 });
    await without.close();
  });
});
