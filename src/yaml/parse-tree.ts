/**
 * YAML text to a tree of nodes by js-yaml's parser. Its grammar is YAML 1.2; Helm's is libyaml's YAML 1.1. What real
 * files depend on is made equal (relax-flow, first-document, check-tabs, the checks below); where the two would still
 * read a text differently it is refused. So are some texts that libyaml takes: U+2028 and U+2029 outside of quotes, and
 * what stands behind a root that is no block collection (`{a: 1} }`).
 */
import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import { checkTabs } from './check-tabs.ts';
import { firstDocument } from './first-document.ts';
import { relaxFlow } from './relax-flow.ts';
import { lineAt, YamlError } from './yaml-error.ts';

interface NodeBase {
  /** Where the node begins in `ParsedTree.text`; -1 for one that is left out, such as the value in `a:`. */
  readonly offset: number;
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  /** The text, unquoted and unfolded. */
  readonly value: string;
  /** The full tag, such as `tag:yaml.org,2002:str`; '' where none is given. */
  readonly tag: string;
  /** Without quotes and not in a block, so that its type follows from its text. */
  readonly plain: boolean;
}

export interface SequenceNode extends NodeBase {
  readonly kind: 'sequence';
  readonly items: YamlNode[];
}

export interface MappingNode extends NodeBase {
  readonly kind: 'mapping';
  readonly entries: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode extends NodeBase {
  readonly kind: 'alias';
  readonly name: string;
  readonly target: YamlNode;
}

/** A node as it is written: scalars still text, aliases still references. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

export interface ParsedTree {
  /** Undefined where the text has no document. */
  readonly root: YamlNode | undefined;
  /** What was parsed in the end, and what offsets refer to. */
  readonly text: string;
}

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;
type Properties = { anchorStart: number; anchorEnd: number; tagStart: number; tagEnd: number };

const none = -1;
/** A key without `?` ends within 1,024 characters (YAML 1.1, section 7.4). */
const maxSimpleKeyLength = 1024;

/**
 * Reads the first document of a text; undefined where there is none. Lists and maps nested deeper than `maxDepth` are
 * an error before they are built.
 * @throws YamlError with the line
 */
export function parseTree(text: string, maxDepth: number): ParsedTree {
  const source = firstDocument(text);
  try {
    return { root: new TreeBuilder(source, maxDepth).build(), text: source };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const relaxed = relaxFlow(source);
    if (relaxed === undefined) throw asYamlError(error);
    try {
      return { root: new TreeBuilder(relaxed.text, maxDepth, relaxed.changes).build(), text: relaxed.text };
    } catch (second) {
      throw second instanceof YAMLException ? asYamlError(second) : second;
    }
  }
}

/** Only the reason and the line: the library's message quotes the text, which may hold a secret. */
function asYamlError({ reason, mark }: YAMLException): YamlError {
  const depth = /^nesting exceeded maxDepth \((\d+)\)$/.exec(reason)?.[1];
  const problem =
    depth === undefined ? reason.replace(/: .*$/s, '') : `exceeded max depth of ${Number(depth) - 1}`;
  return new YamlError(problem, mark && mark.line + 1);
}

class TreeBuilder {
  readonly #source: string;
  readonly #events: Event[];
  /** Where white space was put into the source. */
  readonly #changes: readonly number[];
  #nextChange = 0;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #tagPrefixes = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  #next = 0;
  /** Line separators (U+2028, U+2029) seen inside quotes, where both grammars agree on them. */
  #separators = 0;

  constructor(source: string, maxDepth: number, changes: readonly number[] = []) {
    this.#source = source;
    this.#changes = changes;
    this.#events = parseEvents(source, { maxDepth: maxDepth + 1 });
  }

  build(): YamlNode | undefined {
    const document = this.#events[this.#next++];
    if (document?.type !== EVENT_ID.DOCUMENT) return undefined;
    for (const directive of document.directives) {
      if (directive.kind === 'tag') this.#tagPrefixes.set(directive.handle, directive.prefix);
      else if (directive.version !== '1.1') throw new YamlError('found incompatible YAML document', 1);
    }
    const root = this.#node(false);
    checkTabs(this.#source, this.#events);
    const separators = this.#source.match(/[\u2028\u2029]/g)?.length ?? 0;
    if (separators > this.#separators) {
      throw this.#error(
        'a line separator (U+2028, U+2029) outside of quotes',
        this.#source.search(/[\u2028\u2029]/),
      );
    }
    return root;
  }

  #error(problem: string, offset: number): YamlError {
    return new YamlError(problem, lineAt(this.#source, offset));
  }

  #node(inFlow: boolean): YamlNode {
    const event = this.#events[this.#next++]!;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#define(event, this.#scalar(event, inFlow));
      case EVENT_ID.ALIAS:
        return this.#alias(event.anchorStart, event.anchorEnd);
      case EVENT_ID.SEQUENCE: {
        const items: YamlNode[] = [];
        this.#tagOf(event);
        const node = this.#define(event, { kind: 'sequence', offset: event.start, items });
        while (!this.#pop()) items.push(this.#node(event.style === COLLECTION_STYLE.FLOW));
        return node;
      }
      case EVENT_ID.MAPPING: {
        this.#tagOf(event);
        const node: MappingNode = this.#define(event, { kind: 'mapping', offset: event.start, entries: [] });
        while (!this.#pop()) node.entries.push(this.#entry(event.style === COLLECTION_STYLE.FLOW));
        return node;
      }
      default:
        throw this.#error('unexpected end of a document', 0);
    }
  }

  #pop(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next++;
    return true;
  }

  #entry(inFlow: boolean): [YamlNode, YamlNode] {
    const event = this.#events[this.#next]!;
    const key = this.#node(inFlow);
    const valueEvent = this.#events[this.#next];
    if (event.type === EVENT_ID.SCALAR && event.valueStart !== none) {
      this.#checkSimpleKey(event, inFlow && !isLeftOut(valueEvent));
    }
    if (valueEvent?.type === EVENT_ID.MAPPING && valueEvent.style === COLLECTION_STYLE.BLOCK) {
      const between = this.#source.slice(Math.max(key.offset, 0), valueEvent.start);
      if (key.offset >= 0 && !/[\r\n]/.test(between)) {
        throw this.#error('mapping values are not allowed in this context', valueEvent.start);
      }
    }
    return [key, this.#node(inFlow)];
  }

  /** A key without `?` is short, and its `:` stands on the line where it ends. */
  #checkSimpleKey(event: ScalarEvent, needsColon: boolean): void {
    const { valueStart } = event;
    const end = event.style === SCALAR_STYLE.PLAIN ? event.valueEnd : event.valueEnd + 1;
    const isLong = end - valueStart > maxSimpleKeyLength - 2;
    const spansLines = needsColon && /[\r\n]/.test(this.#source.slice(valueStart, end));
    const colonFollows = !needsColon || this.#source[end] === ':' || this.#test(/[ \t]*:/y, end);
    if (!isLong && !spansLines && colonFollows) return;
    const start = Math.min(...[valueStart, event.anchorStart, event.tagStart].filter(at => at !== none));
    const before = this.#source.slice(Math.max(0, start - 256), start).replace(/["']$/, '');
    if (!/(?:^|[\s,{[])\?\s+$/.test(before)) throw this.#error("could not find expected ':'", valueStart);
  }

  #test(pattern: RegExp, offset: number): boolean {
    pattern.lastIndex = offset;
    return pattern.test(this.#source);
  }

  #define<T extends YamlNode>(event: Properties, node: T): T {
    if (event.anchorStart === none) return node;
    this.#anchors.set(this.#anchorName(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  #alias(start: number, end: number): AliasNode {
    const name = this.#anchorName(start, end);
    const target = this.#anchors.get(name);
    if (target === undefined) throw this.#error(`unknown anchor '${name}' referenced`, start);
    return { kind: 'alias', offset: start, name, target };
  }

  #anchorName(start: number, end: number): string {
    const name = this.#source.slice(start, end);
    if (/^[\w-]+$/.test(name)) return name;
    throw this.#error('did not find expected alphabetic or numeric character', start);
  }

  #tagOf({ tagStart, tagEnd }: Properties): string {
    if (tagStart === none) return '';
    const raw = this.#source.slice(tagStart, tagEnd);
    // in a flow collection libyaml reads on
    if (/[,[\]{}]/.test(this.#source[tagEnd] ?? '')) {
      throw this.#error('did not find expected whitespace or line break', tagEnd);
    }
    if (raw === '!') return raw;
    const [, verbatim, handle = '', suffix = ''] = /^!(?:<(.*)>$|)/.test(raw)
      ? (/^!<(.*)>$/.exec(raw) ?? /^()(!(?:[\w-]*!)?)(.*)$/.exec(raw) ?? [])
      : [];
    const prefix = this.#tagPrefixes.get(handle);
    try {
      if (verbatim) return decodeURIComponent(verbatim);
      if (prefix !== undefined) return decodeURIComponent(prefix) + decodeURIComponent(suffix);
    } catch {}
    throw this.#error('did not find a tag that can be read', tagStart);
  }

  #scalar(event: ScalarEvent, inFlow: boolean): ScalarNode {
    const given = this.#tagOf(event);
    // A lone `!` makes even a quoted scalar one whose type follows from its text: libyaml's reading of YAML 1.1.
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    // Where nothing at all is tagged so, it is an empty string.
    const plain = given === '!' ? event.valueStart !== none : given === '' && isPlain;
    const tag = given === '!' ? '' : given;
    return { kind: 'scalar', offset: event.valueStart, value: this.#text(event, inFlow), tag, plain };
  }

  #text(event: ScalarEvent, inFlow: boolean): string {
    const { style, valueStart, valueEnd } = event;
    if (valueStart === none) return '';
    const value = getScalarValue(this.#source, this.#asLibyaml(event));
    switch (style) {
      case SCALAR_STYLE.PLAIN:
        if (inFlow) this.#checkFlowPlain(value, valueStart, valueEnd);
        else this.#checkUnchanged(valueStart, valueEnd);
        return value;
      case SCALAR_STYLE.DOUBLE_QUOTED:
        if (!event.fast && value !== '') this.#checkEscapes(valueStart, valueEnd);
        return this.#withSeparators(value, valueStart, valueEnd);
      case SCALAR_STYLE.SINGLE_QUOTED:
        return this.#withSeparators(value, valueStart, valueEnd);
      default:
        this.#checkUnchanged(valueStart, valueEnd);
        // A last line without a line break has none in its value either.
        return /[\r\n]/.test(this.#source[valueEnd - 1] ?? '\n') ? value : value.replace(/\n$/, '');
    }
  }

  /** At the top a block scalar is indented too, and its indentation indicator counts from column 0, not from -1. */
  #asLibyaml(event: ScalarEvent): ScalarEvent {
    const isTop = event.style >= SCALAR_STYLE.LITERAL_BLOCK && this.#next === 2;
    if (!isTop) return event;
    const { valueStart, valueEnd } = event;
    const isGiven = /[|>][-+]?[1-9][-+]?[ \t]*(?:#.*)?\s$/.test(this.#source.slice(0, valueStart));
    const indent = isGiven ? event.indent + 1 : event.indent;
    const least = new RegExp(`^ {0,${Math.max(indent, 1) - 1}}[^ \r\n]`, 'm');
    if (!least.test(this.#source.slice(valueStart, valueEnd))) return { ...event, indent };
    throw this.#error('did not find expected indentation', valueStart);
  }

  /** No white space was put into this scalar. Scalars and changes come in the order of the text. */
  #checkUnchanged(start: number, end: number): void {
    while (this.#changes[this.#nextChange]! < start) this.#nextChange++;
    const change = this.#changes[this.#nextChange];
    if (change !== undefined && change < end) throw this.#error('bad indentation', change);
  }

  /** In flow collections libyaml takes every `?` and a first `:` for an indicator, and `a:` for a whole scalar. */
  #checkFlowPlain(value: string, start: number, end: number): void {
    const splitsKey = this.#source[end] === ':' && /[,[\]{}]/.test(this.#source[end + 1] ?? '');
    if (value.includes('?') || value.startsWith(':') || splitsKey) {
      throw this.#error("did not find expected ',' or the end of a flow collection", start);
    }
  }

  /**
   * libyaml knows no `\/`, and no characters by surrogates or beyond U+10FFFF. An empty line behind an escaped line
   * break is a line break in both grammars, but js-yaml loses it.
   */
  #checkEscapes(start: number, end: number): void {
    const raw = this.#source.slice(start, end);
    for (const match of raw.matchAll(
      /\\(?:(\/|u[dD][89a-fA-F])|U([0-9a-fA-F]{8})|(?:\r\n|\r(?!\n)|\n)[ \t]*([\r\n])|[\s\S])/g,
    )) {
      const code = Number.parseInt(match[2] ?? '0', 16);
      if (
        match[1] === undefined &&
        match[3] === undefined &&
        code <= 0x10ffff &&
        (code < 0xd800 || code > 0xdfff)
      )
        continue;
      throw this.#error('found an escape that YAML 1.1 does not allow', start + match.index);
    }
  }

  /**
   * In YAML 1.1 U+2028 and U+2029 are line breaks that stay; blanks beside them are dropped. What is not counted here is
   * refused in the end.
   */
  #withSeparators(value: string, start: number, end: number): string {
    const raw = this.#source.slice(start, end);
    const count = raw.match(/[\u2028\u2029]/g)?.length ?? 0;
    if (count === 0) return value;
    const unlike = /[\r\n\\][ \t]*[\u2028\u2029]|[\u2028\u2029][ \t]*[\r\n]|[\u2028\u2029](?:---|\.\.\.)/;
    const besideBlanks = /[ \t][\u2028\u2029]|[\u2028\u2029][ \t]/;
    if (unlike.test(raw) || (raw.includes('\\') && besideBlanks.test(raw))) return value;
    this.#separators += count;
    return raw.includes('\\') ? value : value.replace(/[ \t]*([\u2028\u2029])[ \t]*/g, '$1');
  }
}

function isLeftOut(event: Event | undefined): boolean {
  return (
    event?.type === EVENT_ID.SCALAR &&
    event.valueStart === none &&
    event.anchorStart === none &&
    event.tagStart === none
  );
}
