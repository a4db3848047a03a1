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
      assert.deepEqual(got, line.error === undefined ? { value: line.output } : { error: line.error });
    });
  });
});
