import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap, YamlValue } from '../../yaml/index.ts';
import { textBounds } from '../chart/chart-yaml.ts';
import { isTable } from './tables.ts';

/** The bounds that later Helm clients set (strvals.MaxIndex, strvals.MaxNestedNameLevel). */
const maxIndex = 65_536;
const maxNesting = 30;

/** Items that lists are filled up with, so that an index can be reached; all lines of a request together. */
const maxFilled = textBounds.maxNodes;

/** UTF-16 units of one line. */
const maxLength = 1024 * 1024;

/** Where the reader is in a line of `--set` syntax, by code point. */
interface Line {
  readonly characters: readonly string[];
  readonly toValue: (text: string) => YamlValue;
  /** The items that the lines of a request may still fill lists with. */
  readonly budget: { items: number };
  position: number;
  /** The line has ended; a name may still be missing its value. */
  ended: boolean;
}

/** What stopped a name or a value when it was none of the stop characters: the line's end. */
const end = '';

class SetLineError extends Error {}

/**
 * Sets what lines such as `a.b=1,c[0].d=x,e={1,2}` say in `values`, as `helm install --set` does, and then `--set-string`, by which
 * every value stays text (pkg/strvals of Helm 2.17): `\` takes the next character as it is; of `--set`, `true`, `false`, `null`
 * and integers are typed.
 * @throws GatewayError INVALID_ARGUMENT that names the line, when one cannot be read
 */
export function applySetLines(values: YamlMap, set: readonly string[], setString: readonly string[]): void {
  const budget = { items: maxFilled };
  for (const [index, text] of set.entries()) applyLine(values, text, `set[${index}]`, toTypedValue, budget);
  for (const [index, text] of setString.entries())
    applyLine(values, text, `set_string[${index}]`, value => value, budget);
}

function applyLine(
  values: YamlMap,
  text: string,
  where: string,
  toValue: Line['toValue'],
  budget: Line['budget'],
): void {
  if (text.length > maxLength) throw invalidArgument(`${where} is longer than ${maxLength}`);
  const line: Line = { characters: [...text], toValue, budget, position: 0, ended: false };
  try {
    while (!line.ended) readKey(line, values, 0);
  } catch (error) {
    if (!(error instanceof SetLineError)) throw error;
    // the line itself is not repeated: it may hold a password
    throw invalidArgument(`failed parsing ${where} at character ${line.position}: ${error.message}`);
  }
}

/** Reads one name and its value into a table. */
function readKey(line: Line, table: YamlMap, nesting: number): void {
  if (nesting > maxNesting) throw new SetLineError(`a name has more than ${maxNesting} levels`);
  const { text: key, stop } = readUntil(line, '=[,.');
  switch (stop) {
    case '=':
      line.ended = line.position >= line.characters.length;
      setKey(table, key, readValue(line));
      return;
    case '[': {
      const list = table.get(key) ?? [];
      if (!Array.isArray(list)) throw new SetLineError('an index is given for what is not a list');
      setKey(table, key, readItem(line, list, readIndex(line), nesting));
      return;
    }
    case '.': {
      const inner = table.get(key) ?? new Map();
      if (!isTable(inner)) throw new SetLineError('a name is given in what is not a map');
      readKey(line, inner, nesting + 1);
      if (inner.size === 0) throw new SetLineError('a name has no value');
      setKey(table, key, inner);
      return;
    }
    case ',':
      throw new SetLineError('a name has no value (it cannot end with a comma)');
    default:
      if (key !== '') throw new SetLineError('a name has no value');
      line.ended = true;
  }
}

function setKey(table: YamlMap, key: string, value: YamlValue): void {
  if (key !== '') table.set(key, value);
}

/** Reads what stands behind `name[index]` and gives the list with it. */
function readItem(line: Line, list: YamlValue[], index: number, nesting: number): YamlValue[] {
  if (nesting > maxNesting) throw new SetLineError(`a name has more than ${maxNesting} levels`);
  const { text: rest, stop } = readUntil(line, '[.=');
  if (rest !== '') throw new SetLineError('unexpected data behind an index');
  const present = list[index];
  switch (stop) {
    case '=':
      return setIndex(line, list, index, readValue(line));
    case '[': {
      const inner = present ?? [];
      if (!Array.isArray(inner)) throw new SetLineError('an index is given for what is not a list');
      const changed = readItem(line, inner, readIndex(line), nesting + 1);
      return setIndex(line, list, index, changed);
    }
    case '.': {
      const inner: YamlMap = isTable(present) ? present : new Map();
      readKey(line, inner, nesting + 1);
      return setIndex(line, list, index, inner);
    }
    default:
      line.ended = true;
      return list;
  }
}

/** Sets a list's item; a list that is too short is filled with nulls. */
function setIndex({ budget }: Line, list: YamlValue[], index: number, value: YamlValue): YamlValue[] {
  budget.items -= Math.max(0, index - list.length);
  if (budget.items < 0) throw new SetLineError('the indexes make lists that are too long');
  while (list.length < index) list.push(null);
  list[index] = value;
  return list;
}

function readIndex(line: Line): number {
  const { text, stop } = readUntil(line, ']');
  if (stop === end) throw new SetLineError('an index has no closing ]');
  if (!/^[+-]?\d{1,18}$/.test(text)) throw new SetLineError('an index is no number');
  const index = Number(text);
  if (index < 0) throw new SetLineError('an index is negative');
  if (index > maxIndex) throw new SetLineError(`an index is greater than ${maxIndex}`);
  return index;
}

/** A scalar up to the next comma, or a list in braces. */
function readValue(line: Line): YamlValue {
  if (line.position >= line.characters.length) return '';
  if (line.characters[line.position] !== '{') return line.toValue(readUntil(line, ',').text);
  line.position++;
  const list: YamlValue[] = [];
  for (;;) {
    const { text, stop } = readUntil(line, ',}');
    if (stop === end) throw new SetLineError('a list has no closing }');
    list.push(line.toValue(text));
    if (stop === ',') continue;
    if (line.characters[line.position] === ',') line.position++;
    return list;
  }
}

/** Reads up to one of the stop characters, which is consumed, or the end of the line. */
function readUntil(line: Line, stops: string): { text: string; stop: string } {
  let text = '';
  while (line.position < line.characters.length) {
    const character = line.characters[line.position++] ?? '';
    if (stops.includes(character)) return { text, stop: character };
    text += character === '\\' ? (line.characters[line.position++] ?? '') : character;
  }
  return { text, stop: end };
}

function toTypedValue(text: string): YamlValue {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    case '0':
      return 0n;
  }
  // a number with a leading zero stays text, and so does one beyond 64 bits
  if (!/^[+-]?\d{1,100}$/.test(text) || text.startsWith('0')) return text;
  const number = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, number) === number ? number : text;
}
