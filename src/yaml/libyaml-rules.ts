/**
 * js-yaml's grammar is YAML 1.2, Helm's is libyaml's YAML 1.1. What libyaml refuses, or would read as another value, is
 * refused here, after js-yaml has parsed it. So are U+2028 and U+2029 as line breaks, which libyaml takes and no real chart
 * has.
 */
import { CHOMPING_MODE, COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml';
import { lineAt, YamlError } from './source-text.ts';

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>;
type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;

const none = -1;
/** A key without `?` ends within 1,024 characters (YAML 1.1, section 7.4). */
const maxSimpleKeyLength = 1024;

const isScalar = (event: Event | undefined): event is ScalarEvent => event?.type === EVENT_ID.SCALAR;
const isFlow = (event: Event | undefined): boolean =>
  event !== undefined && 'start' in event && event.style === COLLECTION_STYLE.FLOW;
const isBlockScalar = (event: Event | undefined): event is ScalarEvent =>
  isScalar(event) && event.style >= SCALAR_STYLE.LITERAL_BLOCK;

/**
 * Checks a parsed document, and corrects its block scalars: one without a line break at its end has none in its value
 * either. `padded` is where indentation was put in.
 * @throws YamlError with the line
 */
export function applyLibyamlRules(source: string, events: readonly Event[], padded: readonly number[]): void {
  const separator = source.search(/[\u2028\u2029]/);
  if (separator >= 0) throw errorAt(source, separator, 'a line separator (U+2028, U+2029)');
  checkIndentation(source, events, padded);
  new Rules(source, events).check();
}

function errorAt(source: string, offset: number, problem: string): YamlError {
  return new YamlError(problem, lineAt(source, offset));
}

interface Open {
  readonly isMapping: boolean;
  readonly isFlow: boolean;
  /** The key whose value comes next. */
  key: NodeEvent | undefined;
}

class Rules {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #open: Open[] = [];

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  check(): void {
    for (const [index, event] of this.#events.entries()) {
      if (event.type === EVENT_ID.POP) this.#open.pop();
      else if (event.type === EVENT_ID.DOCUMENT) {
        if (event.directives.some(directive => directive.kind === 'yaml' && directive.version !== '1.1'))
          throw new YamlError('found incompatible YAML document', 1);
        this.#open.push({ isMapping: false, isFlow: false, key: undefined });
      } else this.#node(event, index);
    }
  }

  #error(problem: string, offset: number): YamlError {
    return errorAt(this.#source, offset, problem);
  }

  #node(event: NodeEvent, index: number): void {
    const parent = this.#open.at(-1)!;
    this.#checkProperties(event);
    if (isScalar(event) && event.valueStart !== none) this.#checkScalar(event, parent.isFlow, index === 1);
    if (parent.isMapping) this.#place(event, parent, index);
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      const isMapping = event.type === EVENT_ID.MAPPING;
      this.#open.push({ isMapping, isFlow: isFlow(event), key: undefined });
    }
  }

  /** Takes a node for the next key of a mapping, or for the value of the last one. */
  #place(event: NodeEvent, parent: Open, index: number): void {
    const { key } = parent;
    parent.key = key ? undefined : event;
    if (!key && isScalar(event) && event.valueStart !== none) {
      this.#checkSimpleKey(event, parent.isFlow && !isLeftOut(this.#events[index + 1]));
    }
    if (!key || event.type !== EVENT_ID.MAPPING || isFlow(event)) return;
    const keyStart = isScalar(key) ? key.valueStart : none;
    if (keyStart === none || /[\r\n]/.test(this.#source.slice(keyStart, event.start))) return;
    throw this.#error('mapping values are not allowed in this context', event.start);
  }

  #checkProperties(event: NodeEvent): void {
    if (
      event.anchorStart !== none &&
      !/^[\w-]+$/.test(this.#source.slice(event.anchorStart, event.anchorEnd))
    )
      throw this.#error('did not find expected alphabetic or numeric character', event.anchorStart);
    if (event.type === EVENT_ID.ALIAS || event.tagStart === none) return;
    // in a flow collection libyaml reads on
    if (/[,[\]{}]/.test(this.#source[event.tagEnd] ?? ''))
      throw this.#error('did not find expected whitespace or line break', event.tagEnd);
  }

  /** A key without `?` is short, and its `:` stands on the line where it ends. */
  #checkSimpleKey(event: ScalarEvent, needsColon: boolean): void {
    const { valueStart } = event;
    const end = event.style === SCALAR_STYLE.PLAIN ? event.valueEnd : event.valueEnd + 1;
    const isLong = end - valueStart > maxSimpleKeyLength - 2;
    const colon = /[ \t]*:/y;
    colon.lastIndex = end;
    const isOneLine = !/[\r\n]/.test(this.#source.slice(valueStart, end)) && colon.test(this.#source);
    if (!isLong && (!needsColon || isOneLine)) return;
    const start = Math.min(...[valueStart, event.anchorStart, event.tagStart].filter(at => at !== none));
    const before = this.#source.slice(Math.max(0, start - 256), start).replace(/["']$/, '');
    if (!/(?:^|[\s,{[])\?\s+$/.test(before)) throw this.#error("could not find expected ':'", valueStart);
  }

  #checkScalar(event: ScalarEvent, inFlow: boolean, isRoot: boolean): void {
    const { valueStart, valueEnd } = event;
    if (event.style === SCALAR_STYLE.PLAIN) {
      if (inFlow) this.#checkFlowPlain(valueStart, valueEnd);
    } else if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) {
      if (!event.fast) this.#checkEscapes(valueStart, valueEnd);
    } else if (isBlockScalar(event)) {
      if (isRoot) this.#correctRootBlock(event);
      this.#correctEnd(event);
    }
  }

  /** Where the text ends without a line break, so does the value; and a blank rest of a line is no line. */
  #correctEnd(event: ScalarEvent): void {
    if (/[\r\n]/.test(this.#source[event.valueEnd - 1] ?? '\n')) return;
    const text = this.#source.slice(event.valueStart, event.valueEnd);
    const line = event.valueStart + Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
    const rest = this.#source.slice(line, event.valueEnd);
    if (rest.trim() === '' && (event.indent < 0 || rest.length <= event.indent)) event.valueEnd = line;
    else event.chomping = CHOMPING_MODE.STRIP;
  }

  /** At the top libyaml indents a block scalar too, and counts an indentation indicator from column 0, not from -1. */
  #correctRootBlock(event: ScalarEvent): void {
    const { valueStart, valueEnd } = event;
    if (/[|>][-+]?[1-9][-+]?[ \t]*(?:#.*)?\s$/.test(this.#source.slice(0, valueStart))) event.indent++;
    const lessIndented = new RegExp(`^ {0,${Math.max(event.indent, 1) - 1}}[^ \r\n]`, 'm');
    if (lessIndented.test(this.#source.slice(valueStart, valueEnd)))
      throw this.#error('did not find expected indentation', valueStart);
  }

  /** In flow collections libyaml takes every `?` and a first `:` for an indicator, and `a:` for a whole scalar. */
  #checkFlowPlain(start: number, end: number): void {
    const value = this.#source.slice(start, end);
    const splitsKey = this.#source[end] === ':' && /[,[\]{}]/.test(this.#source[end + 1] ?? '');
    if (value.includes('?') || /^:|:$/.test(value) || splitsKey)
      throw this.#error("did not find expected ',' or the end of a flow collection", start);
  }

  /**
   * libyaml knows no `\/`, and no characters by surrogates or beyond U+10FFFF. An empty line behind an escaped line
   * break is a line break in both grammars, but js-yaml loses it.
   */
  #checkEscapes(start: number, end: number): void {
    const raw = this.#source.slice(start, end);
    const unlike =
      /\\(?:(\/|u[dD][89a-fA-F]|U(?!000[0-9a-fA-F]|0010)|U0000[dD][89a-fA-F]|(?:\r\n|\r(?!\n)|\n)[ \t]*[\r\n])|[\s\S])/g;
    for (const match of raw.matchAll(unlike)) {
      if (match[1] !== undefined)
        throw this.#error('found an escape that YAML 1.1 does not allow', start + match.index);
    }
  }
}

function isLeftOut(event: Event | undefined): boolean {
  return isScalar(event) && Math.max(event.valueStart, event.anchorStart, event.tagStart) === none;
}

/** A part of the text in which the indentation of a line means nothing, behind so many spaces. */
interface Region {
  readonly start: number;
  readonly end: number;
  readonly minSpaces: number;
  /** Quoted, or a flow collection: what lines are indented by there changes no value. */
  readonly isFree: boolean;
}

/**
 * Refuses tabs where libyaml does and YAML 1.2 does not: in front of a line of block context, a comment or an empty one
 * too, behind the `-`, `?` and `:` that it begins with, and in the indentation of a block scalar. Helm's users meet this
 * rule daily. Also makes sure that indentation was put in nowhere but where it changes nothing.
 */
function checkIndentation(source: string, events: readonly Event[], padded: readonly number[]): void {
  const tabs = source.includes('\t') ? [...source.matchAll(/(?<![^\r\n]) *(?:[-?:](?: +|(?=\t)))*\t/g)] : [];
  if (tabs.length === 0 && padded.length === 0) return;
  const regions = regionsOf(source, events);
  const regionAt = createRegionFinder(regions);
  for (const { index, 0: indentation } of tabs) {
    const position = index + indentation.length - 1;
    const region = regionAt(position);
    if (region === undefined || indentation.length <= region.minSpaces)
      throw errorAt(source, position, 'found a tab character that cannot start any token');
  }
  const regionOfPad = createRegionFinder(regions);
  for (const position of padded)
    if (!regionOfPad(position)?.isFree) throw errorAt(source, position, 'deficient indentation');
}

/** Finds the region of each of several offsets that come in the order of the text. */
function createRegionFinder(regions: readonly Region[]): (position: number) => Region | undefined {
  let next = 0;
  return position => {
    while (next < regions.length && regions[next]!.end <= position) next++;
    const region = regions[next];
    return region !== undefined && region.start <= position ? region : undefined;
  };
}

/** Scalars of block context and outermost flow collections, in the order of the text. */
function regionsOf(source: string, events: readonly Event[]): Region[] {
  const regions: Region[] = [];
  const open: Event[] = [];
  let flowStart = none;
  let end = 0;
  for (const event of events) {
    const inFlow = isFlow(open.at(-1));
    if (isScalar(event)) {
      if (event.valueStart === none) continue;
      end = event.valueEnd;
      if (!inFlow) regions.push(scalarRegion(event));
    } else if (event.type === EVENT_ID.POP) {
      const closed = open.pop();
      if (!inFlow || !hasBracket(closed, source)) continue;
      end += source.slice(end).search(/[\]}]/) + 1;
      if (!isFlow(open.at(-1))) regions.push({ start: flowStart, end, minSpaces: 0, isFree: true });
    } else if ('start' in event) {
      open.push(event);
      end = event.start + 1;
      if (isFlow(event) && !inFlow) flowStart = event.start;
    }
  }
  return regions;
}

/** A pair in a list, `[a: b]`, has none of its own. */
function hasBracket(event: Event | undefined, source: string): boolean {
  return event !== undefined && 'start' in event && /[[{]/.test(source[event.start]!);
}

function scalarRegion(event: ScalarEvent): Region {
  const { valueStart: start, valueEnd: end, style, indent } = event;
  const isFree = style === SCALAR_STYLE.DOUBLE_QUOTED || style === SCALAR_STYLE.SINGLE_QUOTED;
  return { start, end, minSpaces: isBlockScalar(event) ? Math.max(indent, 0) : 0, isFree };
}
