import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Downloader } from './downloader.ts';

/** Answers `/NAME/SIZE` with so many bytes; a revision in `changed` makes a new ETag. */
const changed = new Map<string, number>();
const asked: string[] = [];
const server = createServer((request, response) => {
  const [, name = '', size = ''] = (request.url ?? '').split('/');
  const etag = `"${name}-${changed.get(name) ?? 0}"`;
  const known = request.headers['if-none-match'];
  if (known !== undefined) asked.push(name);
  if (known === etag) response.writeHead(304).end();
  else response.setHeader('etag', etag).end('x'.repeat(Number(size)));
});
let downloader: Downloader;

before(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)));
beforeEach(() => {
  asked.length = 0;
  changed.clear();
  downloader = new Downloader({
    network: {
      policy: { check() {} },
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      proxyFor: () => undefined,
    },
    timeoutMs: 10_000,
    maxRedirects: 0,
    concurrency: 1,
    maxWaiting: 10,
    cacheBytes: 30,
  });
});
after(() => server.close());

async function fetchAll(...paths: string[]): Promise<void> {
  for (const path of paths) {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`);
    const wanted = { source: { url }, credentials: {}, digest: undefined, maxBytes: 1_000 };
    const bytes = await downloader.fetch(wanted, AbortSignal.timeout(10_000));
    assert.equal(bytes.length, Number(path.split('/')[1]));
  }
}

describe('downloads that are kept', () => {
  test('what was not used for longest goes first', async () => {
    await fetchAll('a/10', 'b/10', 'c/10', 'a/10', 'd/10');
    asked.length = 0;
    await fetchAll('a/10', 'c/10', 'd/10', 'b/10');
    assert.deepEqual(asked, ['a', 'c', 'd']);
  });

  test('what takes the place of another counts once', async () => {
    for (let round = 0; round < 5; round++) {
      changed.set('a', round);
      await fetchAll('a/20');
    }
    await fetchAll('b/10');
    asked.length = 0;
    await fetchAll('a/20', 'b/10');
    assert.deepEqual(asked, ['a', 'b']);
  });

  test('what alone is too large is not kept, and drives nothing out', async () => {
    await fetchAll('a/30', 'b/31');
    await fetchAll('b/31', 'a/30');
    assert.deepEqual(asked, ['a']);
  });
});
