/**
 * Sprig's regular expressions. Patterns are RE2's, run by re2js in linear time; the rules for empty matches and for
 * replacements are those of Go's package regexp. https://masterminds.github.io/sprig/strings.html#regexmatch
 */
import { type Matcher, RE2JS, RE2JSException } from 're2js';
import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import type { Functions } from '../go/function.ts';
import { type CallContext, GoError, goFunction } from '../go/function.ts';
import { nilList } from '../go/nil.ts';
import { canBackquote, quote } from '../go/quote.ts';
import { texts } from './convert.ts';

/** A longer pattern is refused, though RE2 would take it: compiling is work that the budget does not see. */
const maxPatternLength = 10_000;

interface Match {
  readonly start: number;
  readonly end: number;
  /** The text of each group, the whole match first; '' of a group that took no part. */
  readonly groups: readonly string[];
  readonly names: Readonly<Record<string, string | null>>;
}

/** regexp.MustCompile: its panic names the pattern. */
function compile(pattern: string, context: CallContext): RE2JS {
  const text = bytesToUtf8(pattern);
  context.charge(text.length * 10);
  if (text.length > maxPatternLength) throw new GoError('regexp: pattern is too long');
  try {
    return RE2JS.compile(text);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const shown = canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern);
    throw new GoError(`regexp: Compile(${shown}): ${utf8ToBytes(goMessage(error.message))}`);
  }
}

/** re2js words the errors as RE2 does but for one. */
function goMessage(message: string): string {
  const trailing = 'error parsing regexp: trailing backslash at end of expression';
  return message === trailing ? `${trailing}: \`\`` : message;
}

/** Reading a text once costs its length times the size of the pattern's program, and cannot be stopped once begun. */
function chargeSearch(matcher: Matcher, text: string, context: CallContext): void {
  context.charge(1 + (matcher.programSize() * text.length) / 2);
}

/** The matches from left to right that do not overlap; an empty one right behind another does not count. */
function* matchesOf(regexp: RE2JS, text: string, context: CallContext): Generator<Match> {
  const matcher = regexp.matcher(text);
  chargeSearch(matcher, text, context);
  const hasGroups = matcher.groupCount() > 0;
  let previousEnd = -1;
  for (let position = 0; position <= text.length; ) {
    // A search mostly reads up to the next match, but can read all the rest: then the clock has to be looked at often.
    context.charge(1 + (matcher.programSize() * (text.length - position)) / 4096);
    if (!matcher.find(position)) return;
    const start = matcher.start();
    const end = matcher.end();
    const accepted = end > start || start !== previousEnd;
    if (accepted) {
      const groups: string[] = [];
      for (let group = 0; group <= matcher.groupCount(); group++) groups.push(matcher.group(group) ?? '');
      yield { start, end, groups, names: hasGroups ? matcher.getNamedGroups() : {} };
    }
    previousEnd = end;
    position = end > position ? end : position + ((text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1);
  }
}

/** The first `limit` matches, all where it is negative. */
function take(regexp: RE2JS, text: string, limit: bigint, context: CallContext): Match[] {
  const matches: Match[] = [];
  for (const match of matchesOf(regexp, text, context)) {
    if (limit >= 0n && BigInt(matches.length) >= limit) break;
    matches.push(match);
  }
  return matches;
}

/** Regexp.Expand: `$1`, `$name`, `${name}`, `$$`; a name is as long as it can be, an unknown one is empty. */
function expand(template: string, match: Match): string {
  return template.replace(/\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g, (all, plain, braced) => {
    if (all === '$$') return '$';
    const name: string = plain ?? braced;
    return (/^\d+$/.test(name) ? match.groups[Number(name)] : match.names[name]) ?? '';
  });
}

function replaceAll(regexp: RE2JS, text: string, by: (match: Match) => string, context: CallContext): string {
  const parts: string[] = [];
  let end = 0;
  for (const match of matchesOf(regexp, text, context)) {
    const replacement = by(match);
    context.charge(replacement.length);
    parts.push(text.slice(end, match.start), replacement);
    end = match.end;
  }
  parts.push(text.slice(end));
  return parts.join('');
}

/** Regexp.Split: the text between the matches, in at most `limit` parts; 0 gives none. */
function split(regexp: RE2JS, text: string, limit: bigint, context: CallContext): string[] {
  if (limit === 0n) return [];
  if (regexp.pattern() !== '' && text === '') return [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of take(regexp, text, limit, context)) {
    if (limit > 0n && BigInt(parts.length) === limit - 1n) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(begin, end));
    begin = match.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}

/** A function of a pattern and a text, both given as byte strings. */
function replaceFunction(literal: boolean) {
  return goFunction(
    ['string', 'string', 'string'],
    ([pattern, text, by], context) => {
      const template = bytesToUtf8(by as string);
      const replacement = (match: Match) => (literal ? template : expand(template, match));
      const regexp = compile(pattern as string, context);
      return utf8ToBytes(replaceAll(regexp, bytesToUtf8(text as string), replacement, context));
    },
    { result: 'string' },
  );
}

function listFunction(list: (regexp: RE2JS, text: string, limit: bigint, context: CallContext) => string[]) {
  return goFunction(
    ['string', 'string', 'int'],
    ([pattern, text, limit], context) => {
      const regexp = compile(pattern as string, context);
      const matches = list(regexp, bytesToUtf8(text as string), limit as bigint, context);
      return matches.length === 0 ? nilList('string') : texts(matches.map(utf8ToBytes));
    },
    { result: '[]string' },
  );
}

/** Sprig ignores the error of a wrong pattern here. */
function isMatch(pattern: string, text: string, context: CallContext): boolean {
  try {
    const decoded = bytesToUtf8(text);
    const matcher = compile(pattern, context).matcher(decoded);
    chargeSearch(matcher, decoded, context);
    return matcher.find();
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

export const regexpFunctions: Functions = [
  [
    'regexMatch',
    goFunction(
      ['string', 'string'],
      ([pattern, text], context) => isMatch(pattern as string, text as string, context),
      { result: 'bool' },
    ),
  ],
  [
    'regexFind',
    goFunction(
      ['string', 'string'],
      ([pattern, text], context) => {
        const [match] = take(compile(pattern as string, context), bytesToUtf8(text as string), 1n, context);
        return utf8ToBytes(match?.groups[0] ?? '');
      },
      { result: 'string' },
    ),
  ],
  [
    'regexFindAll',
    listFunction((regexp, text, limit, context) =>
      take(regexp, text, limit, context).map(match => match.groups[0]!),
    ),
  ],
  ['regexReplaceAll', replaceFunction(false)],
  ['regexReplaceAllLiteral', replaceFunction(true)],
  ['regexSplit', listFunction(split)],
];
