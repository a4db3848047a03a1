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
import { join, matchesGlob } from 'node:path';
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

describe("the image's build", () => {
  const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
  const rules = read('.dockerignore').match(/^[^#\s].*$/gm) ?? [];

  /** Whether `docker build` sees the file: the last rule that fits it, or a folder above it, decides. */
  function isSeen(file: string): boolean {
    const folders = file.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    const rule = rules.findLast(rule => folders.some(folder => matchesGlob(folder, rule.replace(/^!/, ''))));
    return rule === undefined || rule.startsWith('!');
  }

  test('sees every file that it copies or runs, and no test', () => {
    const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
      from.split(' '),
    );
    assert.ok(copied.length >= 8);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const commands = [...dockerfile.matchAll(/npm run (\w+)/g)].map(([, name = '']) => scripts[name] ?? '');
    const programs = [dockerfile, ...commands].flatMap(text => text.match(/(?<=node )scripts\/\S+/g) ?? []);
    assert.deepEqual([...new Set(programs)].sort(), ['scripts/build.ts', 'scripts/prune-modules.ts']);
    const sources = globSync(['src/**/*.{ts,yaml,json}', 'packages/*/{src,scripts}/**/*.*', 'proto/**/*.*'], {
      cwd: root,
    });
    const [tests, code] = [
      sources.filter(file => file.endsWith('.test.ts')),
      sources.filter(file => !file.endsWith('.test.ts')),
    ];
    assert.ok(code.length > 200 && tests.length > 100);
    const files = [...copied.filter(name => name !== 'scripts'), ...programs, ...code];
    assert.deepEqual(
      files.filter(file => !isSeen(file.replace(/\/$/, ''))),
      [],
    );
    assert.deepEqual(tests.filter(isSeen), []);
    for (const program of programs) assert.doesNotMatch(read(program), /from '\.{1,2}\//, program);
  });
});
