import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readIcon } from './chart-icon.ts';
import type { Downloader, Source } from './download/downloader.ts';

const { signal } = new AbortController();
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';

/** Gives these bytes for any URL. */
function downloads(bytes: Uint8Array = png) {
  const asked: Source[] = [];
  const fetch = async (source: Source) => {
    asked.push(source);
    return Buffer.from(bytes);
  };
  return { asked, downloader: { fetch } as unknown as Downloader };
}

const read = (icon: string, file?: Uint8Array, bytes = png) =>
  readIcon({ chart: 'stable/web', icon, file }, downloads(bytes).downloader, signal);

describe('a picture is what its bytes say', () => {
  const cases: [string, string | Buffer, string][] = [
    ['PNG', png, 'image/png'],
    ['JPEG', Buffer.from('ffd8ffe000104a46', 'hex'), 'image/jpeg'],
    ['GIF', 'GIF89a......', 'image/gif'],
    ['old GIF', 'GIF87a......', 'image/gif'],
    ['WebP', Buffer.from('524946460a00000057454250', 'hex'), 'image/webp'],
    ['SVG', svg, 'image/svg+xml'],
    [
      'SVG with all in front',
      `\ufeff<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n${svg}`,
      'image/svg+xml',
    ],
    ['SVG with entities', `<!DOCTYPE svg [ <!ENTITY a "b"> ]>${svg}`, 'image/svg+xml'],
    ['SVG with a prefix', '<s:svg xmlns:s="http://www.w3.org/2000/svg"></s:svg>', 'image/svg+xml'],
  ];
  for (const [title, bytes, type] of cases) {
    test(title, async () => {
      const data = Buffer.from(bytes as string);
      assert.deepEqual(await read('https://x/icon', undefined, data), { type, data });
      assert.equal((await read('icon', data)).type, type);
      assert.equal((await read(`data:text/html;base64,${data.toString('base64')}`)).type, type);
    });
  }
  test('a data URL in percent signs', async () => {
    const { type, data } = await read(`data:image/svg+xml,${encodeURIComponent(svg)}`);
    assert.deepEqual([type, Buffer.from(data).toString()], ['image/svg+xml', svg]);
  });
});

describe('what is no picture', () => {
  const cases: [string, string | Buffer][] = [
    ['HTML', '<!doctype html><svg onload="alert(1)"></svg>'],
    ['HTML with an SVG in it', '<html><svg/></html>'],
    ['HTML in a comment that does not end', '<!-- <svg>'],
    ['a script', 'alert(1)//GIF89a'],
    ['text in front of an SVG', `x${svg}`],
    ['an element that begins with svg', '<svgx/>'],
    ['an SVG that is not UTF-8', Buffer.concat([Buffer.from(svg), Buffer.from([0xff])])],
    ['an SVG in UTF-16', Buffer.from(svg, 'utf16le')],
    ['a bitmap', 'BM......'],
    ['RIFF of another kind', 'RIFF....WAVE'],
    ['nothing', ''],
    ['a long prolog', `<!--${'x'.repeat(20_000)}-->${svg}`],
  ];
  for (const [title, bytes] of cases) {
    test(title, () =>
      assert.rejects(read('https://x/icon.png', undefined, Buffer.from(bytes as string)), {
        code: 3,
        reason: 'CHART_INVALID',
        message: /^the icon of stable\/web: is no picture/,
      }),
    );
  }
});

describe('an icon that cannot be had', () => {
  const invalid = { code: 3, reason: 'CHART_INVALID' };
  const cases: [string, () => Promise<unknown>, object][] = [
    ['none is named', () => read(''), { code: 5, reason: 'NOT_FOUND', message: /names no icon/ }],
    [
      'a path that is no file of the chart',
      () => read('../../etc/passwd'),
      { ...invalid, message: /neither/ },
    ],
    ['another scheme', () => read('file:///etc/passwd'), { ...invalid, message: /neither/ }],
    ['a script', () => read('javascript:alert(1)'), { ...invalid, message: /neither/ }],
    ['a URL that is none', () => read('http://'), { code: 3, message: /^the icon of .*cannot be read/ }],
    ['a data URL without content', () => read('data:image/png'), { ...invalid, message: /data URL/ }],
    ['a data URL with a broken escape', () => read('data:,%zz'), { ...invalid, message: /data URL/ }],
    [
      'a file that is too large',
      () => read('x', Buffer.alloc(2 ** 20 + 1)),
      { ...invalid, message: /larger than 1048576/ },
    ],
    [
      'a data URL that is too large',
      () => read(`data:,${'x'.repeat(2 ** 22)}`),
      { ...invalid, message: /larger/ },
    ],
  ];
  for (const [title, run, error] of cases) test(title, () => assert.rejects(run(), error));
});

test('a download is bounded, and nobody’s password goes along', async () => {
  const { asked, downloader } = downloads();
  await readIcon({ chart: 'a', icon: 'https://user:secret@x.test/i.png?a=b' }, downloader, signal);
  assert.equal(asked[0]?.source.url.href, 'https://x.test/i.png?a=b');
  assert.equal(asked[0]?.source.userInfo, undefined);
  assert.deepEqual([asked[0]?.credentials, asked[0]?.maxBytes], [{}, 2 ** 20]);
});
