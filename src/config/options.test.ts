import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exampleOf } from '../../test/support/option-example.ts';
import { readValues } from './config.ts';
import { allOptions, type PlacedOption } from './options.ts';
import {
  environmentName,
  parseFileSettings,
  readEnvironment,
  readFlags,
  type Settings,
} from './read-settings.ts';

const options = allOptions.map(({ option }) => option);
const defaults = readValues(new Map()).config;

function valueIn(settings: Settings, { group, key }: PlacedOption): unknown {
  assert.deepEqual(settings.mistakes, []);
  const { config, mistakes } = readValues(settings.byFlag);
  assert.deepEqual(mistakes, []);
  return (config[group] as Record<string, unknown>)[key];
}

describe('every option', () => {
  for (const placed of allOptions) {
    const { group, key, option } = placed;
    test(`--${option.flag} changes config.${group}.${key}, from every source alike`, async () => {
      const text = exampleOf(placed);
      const before = (defaults[group] as Record<string, unknown>)[key];
      const argument = option.placeholder === '' ? [`--${option.flag}=${text}`] : [`--${option.flag}`, text];
      const value = valueIn(readFlags(argument, options), placed);
      assert.notDeepEqual(value, before);
      for (const alias of option.aliases) {
        assert.deepEqual(valueIn(readFlags([`--${alias}=${text}`], options), placed), value);
      }
      if (option.flagOnly) return;
      assert.deepEqual(
        valueIn(readEnvironment({ [environmentName(option.flag)]: text }, options), placed),
        value,
      );
      if (option.flag === 'config') return;
      const fromFile = await parseFileSettings(
        'f.yaml',
        `${option.flag}: ${JSON.stringify(text)}\n`,
        options,
      );
      assert.deepEqual(valueIn(fromFile, placed), value);
    });
  }

  test('has a name of its own, in kebab-case, that no alias repeats', () => {
    const names = options.flatMap(option => [option.flag, ...option.aliases]);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) {
      // glog's flags keep their names
      if (!name.startsWith('log_')) assert.match(name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    }
  });

  test('is not called as Kubernetes calls its service links, nor starts with no-', () => {
    for (const { flag } of options) assert.doesNotMatch(flag, /^no-|(^|-)port$|(^|-)service-(host|port)/);
  });

  test('has a sentence that ends with a full stop, and shows what it reads', () => {
    for (const { option } of allOptions) {
      assert.match(option.summary, /^[A-Z].*\.$/, option.flag);
      if (option.default === undefined || option.repeatable) continue;
      assert.equal(option.show(option.read([option.default])!), option.default, option.flag);
    }
  });
});
