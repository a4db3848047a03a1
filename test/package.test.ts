/** What `npm pack` ships: compiled files that run without the checkout's sources, and nothing of the tests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pruneModules } from '../scripts/prune-modules.ts';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const templates = { 'cm.yaml': configMap('{{ .Release.Name }}-cm') };
const root = new URL('../', import.meta.url);
const renderer = 'dist/node_modules/@tiller-gateway/helm-render';

interface PackReport {
  readonly files: readonly { readonly path: string }[];
}

/** What the image's node_modules, dist and proto may have together; node and the base image take about 133 MB of 160. */
const maxBytes = 25_000_000;

/** The folders of the packages that run in production, as npm noted them when it installed them. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(new URL('node_modules/.package-lock.json', root), 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: true; readonly link?: true }>>;
  };
  const folders = Object.entries(packages).filter(
    ([path, { dev, link }]) => /node_modules\//.test(path) && !dev && !link,
  );
  return folders.map(([path]) => join(fileURLToPath(root), path));
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

describe('the packed gateway', () => {
  let files: string[] = [];

  before(
    async () => {
      // builds first, by `prepack`
      const options = { cwd: root, maxBuffer: 16 * 1024 * 1024 };
      const { stdout } = await promisify(execFile)(
        'npm',
        ['pack', '--dry-run', '--json', '--silent'],
        options,
      );
      const [report] = JSON.parse(stdout) as [PackReport];
      files = report.files.map(({ path }) => path);
    },
    { timeout: 110_000 },
  );

  test('holds the program, the renderer and the contract', () => {
    for (const path of ['dist/main.js', `${renderer}/index.js`, `${renderer}/package.json`, 'LICENSE']) {
      assert.ok(files.includes(path), path);
    }
    assert.ok(files.some(path => path.startsWith('proto/') && path.endsWith('.proto')));
    assert.ok(files.includes('proto/swift/v2/openapi.yaml'));
  });

  test('holds no TypeScript, no maps, no tests and no test tables', () => {
    const unwanted = /\.ts$|\.map$|\.test\.|\/cases\/|^(?:src|test|packages|bench)\//;
    assert.deepEqual(
      files.filter(path => unwanted.test(path)),
      [],
    );
  });

  test('runs from pruned node_modules that fit the image', { timeout: 110_000 }, async context => {
    const folder = mkdtempSync(join(tmpdir(), 'tg-test-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const top = fileURLToPath(root);
    for (const path of productionPackages()) {
      const isNested = (source: string) => source.slice(path.length).includes('/node_modules');
      cpSync(path, join(folder, path.slice(top.length)), {
        recursive: true,
        filter: source => !isNested(source),
      });
    }
    pruneModules(join(folder, 'node_modules'));
    for (const path of ['dist', 'proto', 'package.json'])
      cpSync(join(top, path), join(folder, path), { recursive: true });
    const bytes = sizeOf(folder);
    assert.ok(bytes < maxBytes, `${bytes} bytes`);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const rooms = globSync('dist/*/index.js', { cwd: folder }).map(path => `./${path}`);
    assert.ok(rooms.length > 10, `${rooms}`);
    const imports = [...Object.keys(dependencies), ...rooms].map(name => `await import('${name}');`);
    writeFileSync(join(folder, 'all.mjs'), imports.join('\n'));
    const run = promisify(execFile);
    await run(process.execPath, ['all.mjs'], { cwd: folder });
    const { stdout } = await run(process.execPath, ['dist/main.js', '--help'], { cwd: folder });
    assert.match(stdout, /--connector/);
  });

  test('has a sandbox that renders with the packed renderer', async () => {
    const { startSandboxTiller } = await import(new URL('dist/sandbox/index.js', root).href);
    const { renderRelease } = await import(new URL(`${renderer}/index.js`, root).href);
    assert.equal(typeof renderRelease, 'function');
    const tiller = await startSandboxTiller();
    const client = openTiller(tiller.address);
    try {
      // by the compiled worker thread
      const request = { name: 'r', namespace: 'default', values: {}, chart: chartOf('c', templates) };
      const bytes = encodeMessage('hapi.services.tiller.InstallReleaseRequest', request);
      const metadata = { 'x-helm-api-client': 'v2.17.0' };
      const { status, message, responses } = await callTiller(client, 'InstallRelease', bytes, { metadata });
      assert.equal(status, 0, message);
      const { release } = decodeMessage('hapi.services.tiller.InstallReleaseResponse', responses[0]!);
      assert.match(release?.manifest ?? '', /name: r-cm/);
    } finally {
      client[Symbol.dispose]();
      await tiller.stop();
    }
  });
});
