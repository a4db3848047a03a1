import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeChart } from '../../../test/charts/make-archive.ts';
import { parseYaml, type YamlMap } from '../../yaml/index.ts';
import { loadChart } from '../archive/load-chart.ts';
import type { LoadedChart } from '../chart/chart.ts';
import { prepareChart } from './prepare-chart.ts';

const limits = { maxUnpackedBytes: 2 ** 20, maxEntries: 1000, maxNestedArchives: 8 };

interface Prepared {
  readonly chart: LoadedChart;
  readonly warnings: string[];
}

/** Prepares a chart `top` with requirements.yaml, values and charts/ given as text. */
async function prepare(files: Record<string, string>, given = ''): Promise<Prepared> {
  const all: Record<string, string> = { 'Chart.yaml': 'name: top\nversion: 1.0.0', ...files };
  const chart = await loadChart(makeChart(all, 'top'), limits);
  const warnings: string[] = [];
  prepareChart(
    chart,
    () => (parseYaml(given) ?? new Map()) as YamlMap,
    message => warnings.push(message),
  );
  return { chart, warnings };
}

function child(name: string, values = '', version = '1.0.0', folder = name): Record<string, string> {
  return {
    [`charts/${folder}/Chart.yaml`]: `name: ${name}\nversion: ${version}`,
    ...(values === '' ? {} : { [`charts/${folder}/values.yaml`]: values }),
  };
}

function requirements(...lines: string[]): Record<string, string> {
  return { 'requirements.yaml': `dependencies:\n${lines.map(line => `- ${line}\n`).join('')}` };
}

function names({ chart }: Prepared): string[] {
  return chart.dependencies.map(({ metadata }) => metadata.name).sort();
}

describe('which dependencies are left', () => {
  const a = '{name: a, version: 1.0.0';
  const cases: [title: string, requirement: string, values: string, given: string, left: string[]][] = [
    ['neither condition nor tags', `${a}}`, '', '', ['a']],
    ['a condition that is true', `${a}, condition: a.use}`, '', 'a: {use: true}', ['a']],
    ['a condition that is false', `${a}, condition: a.use}`, '', 'a: {use: false}', []],
    ['a condition from the chart', `${a}, condition: a.use}`, 'a: {use: false}', '', []],
    ['values given win', `${a}, condition: a.use}`, 'a: {use: false}', 'a: {use: true}', ['a']],
    ['a condition that is not there', `${a}, condition: a.use}`, '', '', ['a']],
    ['the first path that exists', `${a}, condition: "x.y,a.use"}`, '', 'a: {use: false}', []],
    ['not the second', `${a}, condition: "b,a.use"}`, '', 'b: true\na: {use: false}', ['a']],
    ['a path after a space never matches', `${a}, condition: "x, b"}`, '', 'b: false', ['a']],
    ['a condition that is no boolean', `${a}, condition: "a.use,b"}`, '', 'a: {use: "no"}\nb: false', ['a']],
    ['a condition that is a table', `${a}, condition: "a.use,b"}`, '', 'a: {use: {}}\nb: false', []],
    ['a condition that is null', `${a}, condition: "b,c"}`, '', 'b: null\nc: false', []],
    ['a condition without a dot', `${a}, condition: use}`, 'use: false', '', []],
    ['a tag that is false', `${a}, tags: [t]}`, '', 'tags: {t: false}', []],
    ['one tag of two is true', `${a}, tags: [t, u]}`, '', 'tags: {t: false, u: true}', ['a']],
    ['tags that nobody names', `${a}, tags: [t]}`, '', 'tags: {u: false}', ['a']],
    ['a tag that is no boolean', `${a}, tags: [t]}`, '', 'tags: {t: "false"}', ['a']],
    ['tags that are no table', `${a}, tags: [t]}`, '', 'tags: [t]', ['a']],
    ['a condition beats a tag', `${a}, tags: [t], condition: use}`, '', 'tags: {t: false}\nuse: true', ['a']],
    ['a tag decides where no condition does', `${a}, tags: [t], condition: use}`, '', 'tags: {t: false}', []],
    ['enabled in the file counts for nothing', `${a}, enabled: false}`, '', '', ['a']],
    ['a range', '{name: a, version: ^1.0}', '', '', ['a']],
    // it is not the chart required, but stays, and its name is what is turned off
    ['a version that does not fit', '{name: a, version: ^2.0, condition: use}', 'use: false', '', []],
    ['an alias', `${a}, alias: b}`, '', '', ['b']],
    ['an alias turned off by its name', `${a}, alias: b, condition: b.use}`, '', 'b: {use: false}', []],
    ['no version', '{name: a, alias: b}', '', '', ['a']],
  ];
  for (const [title, requirement, values, given, left] of cases) {
    test(title, async () => {
      const files = { ...requirements(requirement), ...child('a'), 'values.yaml': values };
      assert.deepEqual(names(await prepare(files, given)), left);
    });
  }
});

test('what is not a boolean is warned of', async () => {
  const files = { ...requirements('{name: a, version: 1.0.0, condition: use, tags: [t]}'), ...child('a') };
  const { warnings } = await prepare(files, 'use: 1\ntags: {t: x}');
  assert.deepEqual(warnings, [
    "condition path 'use' for chart a returned non-bool value",
    "tag 't' for chart a returned non-bool value",
  ]);
});

test('charts that no requirement names stay', async () => {
  const files = {
    ...requirements('{name: a, version: 1.0.0, condition: use}'),
    ...child('a'),
    ...child('b'),
  };
  assert.deepEqual(names(await prepare(files, 'use: false')), ['b']);
});

test('one chart under two aliases', async () => {
  const files = {
    ...requirements(
      '{name: a, version: 1.0.0, alias: x}',
      '{name: a, version: 1.0.0, alias: "y1", condition: y1.use}',
      '{name: a, version: 1.0.0}',
    ),
    ...child('a', 'v: 1'),
  };
  const prepared = await prepare(files, 'y1: {use: false}');
  assert.deepEqual(names(prepared), ['a', 'x']);
  assert.equal(prepared.chart.values, 'a:\n  global: {}\n  v: 1\nx:\n  global: {}\n  v: 1\n');
});

test('one name in two versions', async () => {
  const files = {
    ...requirements('{name: a, version: 2.x, alias: new}', '{name: a, version: 1.x, alias: old}'),
    ...child('a', '', '1.0.0', 'a-1'),
    ...child('a', '', '2.0.0', 'a-2'),
  };
  const { chart } = await prepare(files);
  assert.deepEqual(
    chart.dependencies.map(({ metadata }) => `${metadata.name} ${metadata.version}`),
    ['new 2.0.0', 'old 1.0.0'],
  );
});

describe('deeper charts', () => {
  const nested: Record<string, string> = {
    ...requirements('{name: a, version: 1.0.0, condition: a.use}'),
    ...child('a', 'b: {use: true}'),
    'charts/a/requirements.yaml': 'dependencies: [{name: b, version: 1.0.0, condition: b.use, tags: [t]}]',
    'charts/a/charts/b/Chart.yaml': 'name: b\nversion: 1.0.0',
  };

  test('conditions are paths from the chart that requires', async () => {
    const { chart } = await prepare(nested, 'a: {b: {use: false}}');
    assert.deepEqual(chart.dependencies[0]?.dependencies, []);
    const other = await prepare(nested, 'b: {use: false}');
    assert.equal(other.chart.dependencies[0]?.dependencies.length, 1);
  });

  test('without requirements above nothing below is looked at', async () => {
    const { 'requirements.yaml': _, ...without } = nested;
    const { chart } = await prepare(without, 'a: {b: {use: false}}');
    assert.equal(chart.dependencies[0]?.dependencies.length, 1);
    assert.equal(chart.values, undefined);
    // values are imported all the same
    assert.equal(chart.dependencies[0]?.values, 'b:\n  global: {}\n  use: true\n');
  });

  test('a broken requirements.yaml below counts as none', async () => {
    const broken = { ...nested, 'charts/a/requirements.yaml': 'dependencies: {' };
    const { chart } = await prepare(broken);
    assert.equal(chart.dependencies[0]?.dependencies.length, 1);
    assert.equal(chart.dependencies[0]?.values, 'b: {use: true}');
  });
});

describe('values of a chart with requirements', () => {
  const importing = (imports: string) => requirements(`{name: a, version: 1.0.0, import-values: ${imports}}`);
  const exports = 'exports: {data: {x: 1, own: 1}, more: {x: 2, k: 2}}\ndeep: {table: {z: 3}}\nscalar: 4\n';
  const childValues =
    'a:\n  deep:\n    table:\n      z: 3\n  exports:\n    data:\n      own: 1\n      x: 1\n    more:\n      k: 2\n      x: 2\n  global: {}\n  scalar: 4\n';
  const cases: [title: string, imports: string, values: string, written: string][] = [
    ['nothing imported', '[]', '', childValues],
    ['by name', '[data]', '', `${childValues}own: 1\nx: 1\n`],
    ['the first import wins', '[data, more]', '', `${childValues}k: 2\nown: 1\nx: 1\n`],
    ['the imported value wins', '[data]', 'own: mine', `${childValues}own: 1\nx: 1\n`],
    ['from child to parent', '[{child: deep.table, parent: p.q}]', '', `${childValues}p:\n  q:\n    z: 3\n`],
    ['into the top', '[{child: deep.table, parent: .}]', '', `${childValues}z: 3\n`],
    ['a table that is missing', '[none, {child: scalar, parent: s}]', '', childValues],
    ['the imported value wins over null', '[data]', 'own: ~', `${childValues}own: 1\nx: 1\n`],
    ['a form that is none', '[1, true]', '', childValues],
  ];
  for (const [title, imports, values, written] of cases) {
    test(title, async () => {
      const files = { ...importing(imports), ...child('a', exports), 'values.yaml': values };
      const { chart } = await prepare(files, 'x: given');
      assert.equal(chart.values, written);
    });
  }

  test('are written where there is no values.yaml, and no dependency either', async () => {
    const { chart } = await prepare({ 'requirements.yaml': '# none\n' });
    assert.equal(chart.values, '{}\n');
  });

  test('stay as they are where a dependency has a scalar in its place, but only below', async () => {
    const files = { ...importing('[]'), ...child('a'), 'values.yaml': 'a: text' };
    await assert.rejects(prepare(files), { code: 3, message: /type mismatch on a/ });
  });

  test('import through two levels', async () => {
    const files = {
      ...importing('[up]'),
      ...child('a'),
      'charts/a/requirements.yaml':
        'dependencies: [{name: b, version: 1.0.0, import-values: [{child: v, parent: exports.up}]}]',
      'charts/a/charts/b/Chart.yaml': 'name: b\nversion: 1.0.0',
      'charts/a/charts/b/values.yaml': 'v: {color: blue}',
    };
    const { chart } = await prepare(files);
    assert.match(chart.values ?? '', /^color: blue$/m);
  });
});

describe('globals', () => {
  test('go down, and the higher ones win', async () => {
    const files = {
      ...requirements('{name: a, version: 1.0.0}'),
      ...child('a', 'global: {x: low, z: 1}'),
      'values.yaml': 'global: {x: high, t: {u: 1}}',
    };
    const { chart } = await prepare(files);
    assert.equal(
      chart.values,
      'a:\n  global:\n    t:\n      u: 1\n    x: high\n    z: 1\nglobal:\n  t:\n    u: 1\n  x: high\n',
    );
  });

  test('that are no table take the place of the values, as in Helm', async () => {
    const files = {
      ...requirements('{name: a, version: 1.0.0}'),
      ...child('a', 'v: 1'),
      'values.yaml': 'global: text\na: {w: 2}',
    };
    const { chart } = await prepare(files);
    assert.equal(chart.values, 'a:\n  v: 1\nglobal: text\n');
  });
});

describe('what is refused', () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    ['missing charts', requirements('{name: a}', '{name: b}'), /missing in charts\/ directory: a, b/],
    ['a requirements.yaml that is none', { 'requirements.yaml': 'dependencies: [' }, /cannot load require/],
    ['dependencies that are no list', { 'requirements.yaml': 'dependencies: a' }, /must be a list/],
    ['a list', { 'requirements.yaml': '- a' }, /must be a map/],
    [
      'an import without parent',
      { ...requirements('{name: a, import-values: [{child: x}]}'), ...child('a') },
      /import-values\[0\] must have child and parent/,
    ],
    [
      'default values that are no YAML',
      { ...requirements('{name: a}'), ...child('a'), 'values.yaml': 'a: [' },
      /values\.yaml of chart top: error converting YAML to JSON/,
    ],
  ];
  for (const [title, files, message] of cases) {
    test(title, () => assert.rejects(prepare(files), { code: 3, message }));
  }
});

describe('work without end', () => {
  test('aliases that multiply from level to level', async () => {
    const files: Record<string, string> = {};
    const aliases = Array.from(
      { length: 30 },
      (_, index) => `- {name: x, version: 1.0.0, alias: x${index}}\n`,
    ).join('');
    for (let depth = 0; depth < 6; depth++) {
      const path = 'charts/x/'.repeat(depth);
      files[`${path}requirements.yaml`] = `dependencies:\n${aliases}`;
      files[`${path}charts/x/Chart.yaml`] = 'name: x\nversion: 1.0.0';
    }
    await assert.rejects(prepare(files), { code: 3, message: /make more than 1000 charts/ });
  });

  test('thousands of requirements', async () => {
    const many = Array.from({ length: 1_001 }, () => '{name: a}');
    await assert.rejects(prepare({ ...requirements(...many), ...child('a') }), {
      code: 3,
      message: /more than 1000 requirements in one chart/,
    });
  });

  test('large globals handed to many charts', async () => {
    const global = Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join(', ');
    const aliases = Array.from({ length: 900 }, (_, index) => `{name: a, version: 1.0.0, alias: a${index}}`);
    const files = { ...requirements(...aliases), ...child('a'), 'values.yaml': `global: {${global}}` };
    await assert.rejects(prepare(files), { code: 3, message: /values of the chart .* are too many/ });
  });

  test('one table imported many times', async () => {
    const table = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join(', ');
    const imports = Array.from({ length: 500 }, (_, index) => `{child: t, parent: p${index}}`).join(', ');
    const files = {
      ...requirements(`{name: a, version: 1.0.0, import-values: [${imports}]}`),
      ...child('a', `t: {${table}}`),
    };
    await assert.rejects(prepare(files), { code: 3, message: /values of the chart .* are too many/ });
  });
});

describe('an alias', () => {
  const requirements = (alias: string) => ({
    'requirements.yaml': `dependencies: [{name: a, version: 1.0.0, alias: "${alias}"}]`,
  });
  for (const alias of ['my.sub', 'a b', 'ä', '/', 'a\\n']) {
    test(`that is illegal is refused: ${alias}`, async () => {
      await assert.rejects(prepare({ ...requirements(alias), ...child('a') }), /illegal alias name in "a"/);
    });
  }

  test('that is illegal below leaves the requirements there as they are', async () => {
    const below = Object.fromEntries(
      Object.entries({ ...requirements('my.sub'), ...child('a') }).map(([name, text]) => [
        `charts/p/${name}`,
        text,
      ]),
    );
    const { chart } = await prepare({
      'requirements.yaml': 'dependencies: [{name: p, version: 1.0.0}]',
      'charts/p/Chart.yaml': 'name: p\nversion: 1.0.0\n',
      ...below,
    });
    assert.deepEqual(
      chart.dependencies[0]?.dependencies.map(({ metadata }) => metadata.name),
      ['a'],
    );
  });
});
