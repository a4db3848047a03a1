import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Chart, HelmRenderError, renderRelease } from '../src/index.ts';

/** What the real Tiller 2.17.0 made of charts and single lines: test/conformance/README.md. */
function readLines<T>(name: string): T[] {
  const text = readFileSync(new URL(`../../../test/conformance/${name}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as T);
}

const anyFile = (type_url: string, text: string) => ({ type_url, value: Buffer.from(text) });

/** The chart in which the lines of expressions.jsonl were rendered. */
function expressionChart(template: string): Chart {
  const values = readFileSync(
    new URL('../../../test/conformance/renderer/values.yaml', import.meta.url),
    'utf8',
  );
  return {
    metadata: {
      name: 'expr',
      version: '1.2.3',
      appVersion: '4.5',
      description: 'one expression',
      keywords: ['k1', 'k2'],
      maintainers: [{ name: 'M', email: 'm@example.test', url: '' }],
      home: '',
      sources: [],
      engine: '',
      icon: '',
      apiVersion: 'v1',
      condition: '',
      tags: '',
      deprecated: false,
      tillerVersion: '',
      annotations: {},
      kubeVersion: '',
    },
    templates: [{ name: 'templates/NOTES.txt', data: Buffer.from(template) }],
    dependencies: [],
    values: { raw: values },
    files: [
      anyFile('config/a.txt', 'first line\nsecond: line\n'),
      anyFile('config/b.txt', 'b'),
      anyFile('other/c.md', '# c\n'),
    ],
  };
}

const releaseAt = (name: string, namespace: string, revision = 1) => ({
  name,
  namespace,
  revision,
  isInstall: revision === 1,
  isUpgrade: revision > 1,
  time: new Date('2026-11-20T10:00:00Z'),
});

/** What a rendering came to, in the form in which it was recorded. */
function outcome<T>(run: () => T): { value: T } | { error: string } {
  try {
    return { value: run() };
  } catch (error) {
    assert.ok(error instanceof HelmRenderError, String((error as Error)?.stack));
    return { error: error.message };
  }
}

/**
 * Recorded lines, by number, that come out otherwise. They were recorded with a Tiller built by Go 1.19; the official
 * 2.17.0 was built by Go 1.14, which evaluates every argument of `and` and `or`, has no `break`, escapes otherwise in `js`,
 * and words lexical errors otherwise.
 */
const notes = 'expr/templates/NOTES.txt';
const unterminated = `parse error in "${notes}": template: ${notes}:1: unexpected unterminated quoted string in command`;
const deeper = (column: number) =>
  `render error in "${notes}": template: ${notes}:1:${column}: executing "${notes}" at <.Values.missing.deeper>: nil pointer evaluating interface {}.deeper`;
const byGo114 = new Map<number, { value: string } | { error: string }>([
  [
    83,
    {
      value: `&lt;a href=&#39;x&#39;&gt;&amp;&#34;&lt;/a&gt; it\\'s \\"x\\" \\x3Cb\\x3E a+b%26c%3Dd%2F%C3%A9`,
    },
  ],
  [180, { error: unterminated }],
  [196, { error: deeper(30) }],
  [197, { error: deeper(25) }],
  [225, { error: unterminated }],
  [226, { error: `parse error in "${notes}": template: ${notes}:1: function "break" not defined` }],
]);

describe('single lines, as Tiller 2.17.0 rendered them', () => {
  const lines = readLines<{ template: string; output?: string; error?: string }>(
    'renderer/expressions.jsonl',
  );
  lines.forEach((line, index) => {
    it(`${index + 1}: ${line.template}`, () => {
      const got = outcome(
        () =>
          renderRelease({
            chart: expressionChart(line.template),
            values: { raw: '{}' },
            release: releaseAt('vector', 'default'),
            subNotes: false,
          }).notes,
      );
      const recorded = line.error === undefined ? { value: line.output } : { error: line.error };
      assert.deepEqual(got, byGo114.get(index + 1) ?? recorded);
    });
  });
});
