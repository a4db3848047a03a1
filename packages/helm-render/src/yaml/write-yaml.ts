import { analyzeScalar } from './analyze-scalar.ts';
import { isBreak } from './chars.ts';
import { escapeChar, isEscaped } from './escape-char.ts';
import { formatFloatG } from './go-float.ts';
import { goJson } from './go-json.ts';
import type { YamlMap, YamlValue } from './node.ts';
import { sortKeys } from './order.ts';
import { parseYaml } from './read-yaml.ts';
import { resolvePlain } from './resolve-scalar.ts';

const indentStep = 2;
/** Lines are folded at the first space behind this column. */
const bestWidth = 80;
/** A longer key, in bytes, is written behind `? `. */
const maxSimpleKeyBytes = 128;

/** Numbers in base 60 are no numbers here, but are for other readers: they are quoted (`190:20:30`). */
const base60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/** Writes a value as yaml.v2's Marshal does. */
export function emitYaml(value: YamlValue): string {
  return new Emitter().document(value);
}

class Emitter {
  #out = '';
  /** Characters written since the last line break. */
  #column = 0;
  #indent = -1;
  /** The last thing written was white space. */
  #whitespace = true;
  /** Only indentation and indicators such as `- ` stand on this line so far. */
  #indention = true;

  document(value: YamlValue): string {
    this.#node(value, { mapping: false, key: false });
    this.#indent = -1;
    this.#writeIndent();
    return this.#out;
  }

  #node(value: YamlValue, place: { mapping: boolean; key: boolean }): void {
    if (Array.isArray(value)) this.#sequence(value, place.mapping);
    else if (value instanceof Map) this.#mapping(value);
    else if (typeof value === 'string') this.#string(value, place.key);
    else this.#indented(() => this.#plain(scalarText(value), !place.key));
  }

  /** Runs with the indentation of a scalar's further lines. */
  #indented(write: () => void): void {
    const outer = this.#indent;
    this.#indent = outer < 0 ? indentStep : outer + indentStep;
    write();
    this.#indent = outer;
  }

  #sequence(items: readonly YamlValue[], inMapping: boolean): void {
    if (items.length === 0) {
      this.#indicator('[]', true, false);
      return;
    }
    const outer = this.#indent;
    // A list behind a simple key is not indented.
    if (outer < 0) this.#indent = 0;
    else if (!inMapping || this.#indention) this.#indent = outer + indentStep;
    for (const item of items) {
      this.#writeIndent();
      this.#indicator('-', true, true);
      this.#node(item, { mapping: false, key: false });
    }
    this.#indent = outer;
  }

  #mapping(map: YamlMap): void {
    if (map.size === 0) {
      this.#indicator('{}', true, false);
      return;
    }
    const outer = this.#indent;
    this.#indent = outer < 0 ? 0 : outer + indentStep;
    for (const key of sortKeys(map.keys())) {
      this.#writeIndent();
      const simple = isSimpleKey(key);
      if (!simple) this.#indicator('?', true, true);
      this.#node(key, { mapping: true, key: simple });
      if (simple) this.#indicator(':', false, false);
      else {
        this.#writeIndent();
        this.#indicator(':', true, true);
      }
      this.#node(map.get(key)!, { mapping: true, key: false });
    }
    this.#indent = outer;
  }

  #string(text: string, key: boolean): void {
    const analysis = analyzeScalar(text);
    this.#indented(() => {
      if (text.includes('\n')) {
        if (analysis.block && !key) this.#literal(text);
        else this.#doubleQuoted(text, !key);
      } else if (!readsAsString(text)) {
        this.#doubleQuoted(text, !key);
      } else if (analysis.plain) {
        this.#plain(text, !key);
      } else if (analysis.singleQuoted && !(key && analysis.multiline)) {
        this.#singleQuoted(text, !key);
      } else {
        this.#doubleQuoted(text, !key);
      }
    });
  }

  #put(text: string): void {
    this.#out += text;
    this.#column++;
  }

  #putBreak(text: string): void {
    this.#out += text;
    this.#column = 0;
  }

  #writeIndent(): void {
    const indent = Math.max(this.#indent, 0);
    const beyond = this.#column > indent || (this.#column === indent && !this.#whitespace);
    if (!this.#indention || beyond) this.#putBreak('\n');
    if (this.#column < indent) {
      this.#out += ' '.repeat(indent - this.#column);
      this.#column = indent;
    }
    this.#whitespace = true;
    this.#indention = true;
  }

  #indicator(text: string, needsSpace: boolean, keepsIndention: boolean): void {
    if (needsSpace && !this.#whitespace) this.#put(' ');
    this.#out += text;
    this.#column += text.length;
    this.#whitespace = false;
    this.#indention = this.#indention && keepsIndention;
  }

  #plain(text: string, fold: boolean): void {
    if (!this.#whitespace) this.#put(' ');
    this.#folded(text, fold, 0);
    this.#whitespace = false;
    this.#indention = false;
  }

  #singleQuoted(text: string, fold: boolean): void {
    this.#indicator("'", true, false);
    this.#folded(text, fold, 1);
    this.#indicator("'", false, false);
  }

  /** The text of a plain or single-quoted scalar: single spaces may become line breaks, but not within `margin` of an end. */
  #folded(text: string, fold: boolean, margin: number): void {
    if (this.#column + text.length <= bestWidth && /^[\w ./-]*$/.test(text)) {
      // Nothing here can be folded or doubled.
      this.#out += text;
      this.#column += text.length;
      return;
    }
    const chars = Array.from(text);
    let afterSpace = false;
    let afterBreak = false;
    for (const [i, char] of chars.entries()) {
      if (char === ' ') {
        const inside = i >= margin && i < chars.length - margin;
        if (fold && !afterSpace && this.#column > bestWidth && inside && chars[i + 1] !== ' ') {
          this.#writeIndent();
        } else {
          this.#put(char);
        }
        afterSpace = true;
      } else if (isBreak(char.charCodeAt(0))) {
        this.#putBreak(char);
        this.#indention = true;
        afterBreak = true;
      } else {
        if (afterBreak) this.#writeIndent();
        if (char === "'" && margin > 0) this.#put(char);
        this.#put(char);
        this.#indention = false;
        afterSpace = false;
        afterBreak = false;
      }
    }
  }

  #doubleQuoted(text: string, fold: boolean): void {
    this.#indicator('"', true, false);
    const chars = Array.from(text);
    let afterSpace = false;
    // A fault of yaml.v2: a byte order mark at the start makes it escape everything behind it too.
    const escapesAll = text.startsWith('\uFEFF');
    for (const [i, char] of chars.entries()) {
      if (escapesAll || isEscaped(char)) {
        const escaped = escapeChar(char);
        this.#out += escaped;
        this.#column += escaped.length;
        afterSpace = false;
      } else if (char === ' ') {
        const inside = i > 0 && i < chars.length - 1;
        if (fold && !afterSpace && this.#column > bestWidth && inside) {
          this.#writeIndent();
          if (chars[i + 1] === ' ') this.#put('\\');
        } else {
          this.#put(char);
        }
        afterSpace = true;
      } else {
        this.#put(char);
        afterSpace = false;
      }
    }
    this.#indicator('"', false, false);
  }

  #literal(text: string): void {
    this.#indicator(`|${blockHints(text)}`, true, false);
    this.#putBreak('\n');
    this.#indention = true;
    this.#whitespace = true;
    let afterBreak = true;
    for (const part of text.split(/([\n\r\u0085\u2028\u2029])/)) {
      if (part === '') continue;
      if (isBreak(part.charCodeAt(0))) {
        this.#putBreak(part);
        this.#indention = true;
        afterBreak = true;
      } else {
        if (afterBreak) this.#writeIndent();
        this.#out += part;
        this.#column += part.length;
        this.#indention = false;
        afterBreak = false;
      }
    }
  }
}

/** Whether a string, written without quotes, reads back as a string everywhere. */
function readsAsString(text: string): boolean {
  return resolvePlain(text).tag === '!!str' && !base60.test(text);
}

function isSimpleKey(key: string): boolean {
  return !/[\n\r\u0085\u2028\u2029]/.test(key) && Buffer.byteLength(key) <= maxSimpleKeyBytes;
}

/** The indentation hint where the text starts with white space, and `-` or `+` for none or more than one break at its end. */
function blockHints(text: string): string {
  const first = text.charCodeAt(0);
  const indentation = first === 0x20 || isBreak(first) ? String(indentStep) : '';
  if (!isBreak(text.charCodeAt(text.length - 1))) return `${indentation}-`;
  if (text.length === 1 || isBreak(text.charCodeAt(text.length - 2))) return `${indentation}+`;
  return indentation;
}

function scalarText(value: null | boolean | bigint | number): string {
  if (typeof value !== 'number') return String(value);
  const text = formatFloatG(value);
  if (text === '+Inf') return '.inf';
  if (text === '-Inf') return '-.inf';
  return text === 'NaN' ? '.nan' : text;
}

/**
 * A value as ghodss/yaml's Marshal writes it, byte for byte: it ends with a line break, keys are in yaml.v2's order.
 *
 * Like there, the value first becomes JSON, is read as YAML and only then written: that is why a float without a
 * fraction is written as an integer (up to 1e21), and why a character that YAML forbids, such as U+007F, is an error.
 * Throws HelmRenderError on that, on NaN and infinities, and on values beyond the default bounds.
 */
export function writeYaml(value: YamlValue): string {
  return emitYaml(parseYaml(goJson(value)));
}
