import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { parseRepositoryIndex } from './repository-index.ts';
import { searchCharts } from './search-charts.ts';

const folder = new URL('../../../test/conformance/search/', import.meta.url);
const index = parseRepositoryIndex(readFileSync(new URL('index.yaml', folder)), 'index.yaml');

interface Recorded {
  readonly tool: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly stdout: string;
}

const recorded = readFileSync(new URL('helm.jsonl', folder), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as Recorded);

function search(args: readonly string[]): string[] {
  const options = {
    output: { type: 'string', short: 'o' },
    version: { type: 'string', short: 'v' },
    versions: { type: 'boolean', short: 'l' },
    devel: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { charts } = searchCharts(new Map([['try', index]]), {
    query: positionals.filter((word, at) => at > 0 && !(at === 1 && word === 'repo')).join(' '),
    version: values.version ?? (values.devel ? '>0.0.0-0' : ''),
    all_versions: values.versions ?? false,
    limit: 0,
    offset: '',
  });
  return charts.map(({ repo, name, version }) => `${repo}/${name} ${version}`);
}

/** What `helm search` printed. Helm 2 prints names that were searched for in lower case. */
function printed({ stdout }: Recorded): string[] {
  const lines = (stdout.trim() === '' ? [] : (JSON.parse(stdout) ?? [])) as Record<string, string>[];
  return lines.map(line => `${line.Name ?? line.name} ${line.Version ?? line.version}`.toLowerCase());
}

/** Helm 3 sorts capitals first, knows ranges without commas, and sees no pre-releases above 0.0.0. */
const onlyHelm3 = ({ tool, args }: Recorded) =>
  !tool.includes(' 2.') &&
  (/^search repo (queue|a|try\/) /i.test(args.join(' ')) ||
    args.join(' ').startsWith('search repo - ') ||
    args.some(arg => arg === '>0.0.0' || arg === '>=8.0.0 <8.1.0'));

for (const line of recorded) {
  if (line.args.includes('-r') || onlyHelm3(line)) continue;
  test(`${line.tool}: ${line.args.join(' ')}`, () => {
    if (line.code !== 0) assert.throws(() => search(line.args), { name: 'GatewayError' });
    else
      assert.deepEqual(
        search(line.args).map(text => text.toLowerCase()),
        printed(line),
      );
  });
}
