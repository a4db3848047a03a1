import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildChart } from '../test/support/build-chart.ts';
import { coalesceToGo } from './coalesce.ts';
import { yamlToGo } from './go/yaml-values.ts';
import { parseYaml } from './yaml/index.ts';

/** Rules: https://v2.helm.sh/docs/chart_template_guide/#subcharts-and-global-values */
function coalesced(own: string, given: string, children: Record<string, string> = {}): unknown {
  const dependencies = Object.entries(children).map(([name, values]) => buildChart({ name, values }));
  return coalesceToGo(buildChart({ values: own, dependencies }), { raw: given });
}

const yaml = (text: string) => yamlToGo(parseYaml(text));

describe('values', () => {
  const cases: [
    title: string,
    own: string,
    given: string,
    expected: string,
    children?: Record<string, string>,
  ][] = [
    ['given ones win', 'a: 1', 'a: 2', 'a: 2'],
    ['own ones stay', 'a: 1\nb: 2', 'b: 3', '{a: 1, b: 3}'],
    ['tables are merged', 'a: {x: 1, y2: 2}', 'a: {y2: 3, z: 4}', 'a: {x: 1, y2: 3, z: 4}'],
    ['lists are replaced', 'a: [1, 2]', 'a: [3]', 'a: [3]'],
    ['null takes a key away', 'a: 1\nb: {c: 1, d: 2}', 'a: null\nb: {c: null}', 'b: {d: 2}'],
    ['null without a default is nothing', '{}', 'a: null', '{}'],
    ['null in the chart stays', 'a: null', '{}', 'a: null'],
    ['a table is not merged into a scalar', 'a: {x: 1}', 'a: 1', 'a: 1'],
    ['a scalar is not merged into a table', 'a: 1', 'a: {x: 1}', 'a: {x: 1}'],
    ['empty texts are empty', '', '', '{}'],
    ['subcharts get a table', '{}', '{}', 'c: {global: {}}', { c: '' }],
    ['subcharts’ defaults lie below', 'c: {a: 2}', '{}', 'c: {a: 2, b: 1, global: {}}', { c: 'a: 1\nb: 1' }],
    ['given values reach subcharts', 'c: {a: 2}', 'c: {a: 3}', 'c: {a: 3, global: {}}', { c: 'a: 1' }],
    ['globals reach subcharts', 'global: {g: 1}', '{}', '{global: {g: 1}, c: {global: {g: 1}}}', { c: '' }],
    [
      'globals of the parent win',
      'global: {g: 1}',
      '{}',
      '{global: {g: 1}, c: {global: {g: 1, h: 3}}}',
      { c: 'global: {g: 2, h: 3}' },
    ],
    [
      'globals are merged in depth',
      'global: {t: {a: 1}}',
      '{}',
      '{global: {t: {a: 1}}, c: {global: {t: {a: 1, b: 2}}}}',
      { c: 'global: {t: {b: 2}}' },
    ],
    [
      'globals of a subchart stay there',
      '{}',
      '{}',
      '{c: {global: {g: 1}}, d: {global: {}}}',
      { c: 'global: {g: 1}', d: '' },
    ],
    ['numbers are floats', 'a: 12345678901234567890', '{}', 'a: 12345678901234567890'],
  ];
  for (const [title, own, given, expected, children] of cases) {
    it(title, () => assert.deepEqual(coalesced(own, given, children), yaml(expected)));
  }

  it('of a subchart are kept from those of its siblings', () => {
    const values = coalesced('global: {t: {}}', '{}', { a: 'global: {t: {x: 1}}', b: '' });
    assert.deepEqual(values, yaml('{global: {t: {}}, a: {global: {t: {x: 1}}}, b: {global: {t: {}}}}'));
  });
});
