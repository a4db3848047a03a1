/** What `npm pack` ships: compiled files that run without the checkout's sources, and nothing of the tests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const templates = { 'cm.yaml': configMap('{{ .Release.Name }}-cm') };
const root = new URL('../', import.meta.url);
const renderer = 'dist/node_modules/@tiller-gateway/helm-render';

interface PackReport {
  readonly files: readonly { readonly path: string }[];
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
  });

  test('holds no TypeScript, no maps, no tests and no test tables', () => {
    const unwanted = /\.ts$|\.map$|\.test\.|\/cases\/|^(?:src|test|packages|bench)\//;
    assert.deepEqual(
      files.filter(path => unwanted.test(path)),
      [],
    );
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
