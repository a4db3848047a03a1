import assert from 'node:assert/strict';
import type { PlacedOption } from '../../src/config/index.ts';

/** A text that the option takes and that is not its default: a word of a choice, a bound of a range, or an example. */
export function exampleOf({ group, key, option }: PlacedOption): string {
  const candidates = [
    ...option.placeholder.split('|'),
    ...option.range.split(/ to |; | or /),
    'localhost:1234',
    'example',
    'example.com',
    'name=https://example.com',
    '10.0.0.0/8',
    '/some/path',
  ];
  const example = candidates.find(text => {
    try {
      return text !== '' && option.show(option.read([text])!).toString() !== String(option.default);
    } catch {
      return false;
    }
  });
  assert.ok(example, `no example for --${option.flag} (${group}.${key}): add one to the candidates`);
  return example;
}
