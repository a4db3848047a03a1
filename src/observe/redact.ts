import { masked, maskUrlCredentials } from '../config/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';

/** Names whose values are secret, wherever they stand. `client_certificate` and `ca_bundle` are swift's chart credentials. */
const secretName =
  /pass(?:words?|wd|phrase)?$|^pwd$|token$|secret|credential|^auth$|authorization$|cookie$|signature$|(?:private|client|api|access|secret)[-_]?key(?:[-_]?data)?$|client_?certificate$|ca_?bundle$/i;

const name = String.raw`(?<![\w-])[\w-]{0,40}(?:passw(?:or)?ds?|passphrase|pwd|token|secret|credentials?|signature|(?:private|client|api|access)[-_]?key(?:[-_]?data)?|(?<![a-z])sig)`;
/** Quotes may be escaped, where JSON stands in JSON, and all of it in a URL. */
const is = String.raw`(?:\\{0,8}["']|%22)?\s{0,5}(?:=>|[=:]|%3[ad])\s{0,5}`;
/** A list, a text in quotes with all that is in it, or a word. */
const given = String.raw`(?:[[{][^\]}]*[\]}]?|(?<quote>\\{0,8}["'])[\s\S]*?(?:(?<!\\)\k<quote>|$)|[^\s"',;&}\\]+)`;

/** Credentials inside texts, such as the message of a library's error. None looks twice at what it passed, so that each stays linear. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [^-\n]{1,60}-----[\s\S]*?(?:-----END [^-\n]{1,60}-----|$)/g, masked],
  // the same in base64, and a token of a service account or an identity provider
  [/(?<![\w+/-])LS0tLS1CRUdJTi[\w+/-]*/g, masked],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w.-]+/g, masked],
  [/(%3a%2f%2f)(?:(?!%2f|%40)[^\s&"'<>])*%40/gi, `$1${masked}%40`],
  // user info without a scheme, as proxies are given; but no digest of an image
  [/(?<![\w.+-])([\w.+-]{1,64}:)[^\s/@:"',;<>]{1,128}@(?!sha\d+:)(?=[\w[])/g, `$1${masked}@`],
  // to the end of the line: schemes and cookies have several words
  [
    /\b((?:authorization|cookie)(?:\\{0,8}["']|%22)?\s{0,5}[=:]\s{0,5})(?!\\{0,8}["'])[^\r\n←]*/gi,
    `$1${masked}`,
  ],
  [new RegExp(`((?:authorization|cookie)${is})${given}`, 'gi'), `$1${masked}`],
  [/\b(bearer|basic)\s+[\w~+/.=-]+/gi, `$1 ${masked}`],
  [new RegExp(`(${name}${is})${given}`, 'gi'), `$1${masked}`],
];

/** A URL to its end. A signed one's signature stands in its query. */
const urls = /:\/\/[^\s"'<>]+/g;

/** What every text with a secret in it contains; most texts do not, and one look is cheaper than ten replacements. */
const suspicious =
  /\/\/|@|https?:|-----begin|LS0tLS1|eyJ|%3a|\/\\|bearer|basic|passw|passph|pwd|token|secret|credential|sig|key|authorization|cookie/i;

const maxDepth = 6;
const maxItems = 100;
const maxFrames = 8;
const maxFirstLineChars = 1000;
const maxRestLines = 100;

/**
 * Fields of Tiller's and swift's messages that may hold secrets: values hold passwords, a manifest holds Secrets, and
 * notes often print both. Names go with passwords. Their presence and size are shown, never their contents.
 */
const opaqueName =
  /^(?:user_?name|raw|values|values_?json|set|set_?string|manifest|notes|resources|chart_?archive|data|value)$/i;

/** Bounds on a payload of `--log-rpc`; `nodes` in all, so that a message of a thousand releases is not walked to its end. */
const payloadBounds = { depth: 8, items: 20, textChars: 200, nodes: 500 };
/** Longer than any pattern of `secretTexts` reads: a secret that begins in what is shown is masked to its end. */
const maxRedactedChars = 32_768;

/** The text without passwords, tokens, keys and credentials in URLs. */
export function redactText(value: string): string {
  if (!suspicious.test(value)) return value;
  let redacted = maskUrlCredentials(value).replace(urls, url => {
    const query = url.indexOf('?') + 1;
    return query > 0 && query < url.length ? url.slice(0, query) + masked : url;
  });
  for (const [pattern, replacement] of secretTexts) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/**
 * A copy without secrets: fields with secret names are masked, texts redacted, errors shown by message and causes.
 * Deeper than 6 levels and past 100 items there is only an ellipsis, so that a log line has a bound.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return errorText(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.slice(0, maxItems).map(item => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxItems)
      .map(([name, member]) => [name, secretName.test(name) ? masked : redact(member, depth + 1)]),
  );
}

/** `message ← cause ← cause`. A fault of the program also shows the stack of the innermost error, where it began. */
function errorText(error: Error): string {
  const messages = chainOf(error).map(({ message }) => message);
  return redactText([messages.join(' ← '), ...framesOf(error)].join('\n'));
}

/** The same of a request's error, with the first line of each message: Tiller puts rendered manifests on the others. */
export function firstLines(error: unknown): string {
  if (!(error instanceof Error)) return firstLine(String(error));
  const messages = chainOf(error).map(({ message }) => firstLine(message));
  return [messages.join(' ← '), ...framesOf(error).map(redactText)].join('\n');
}

/** What `firstLines` leaves out, with every value of a manifest masked; empty where nothing is left out. */
export function maskedRest(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error ?? '');
  const rest = message.slice(0, maxRedactedChars).split('\n').slice(1, maxRestLines);
  const place: Place = { section: '', valueIndent: Number.POSITIVE_INFINITY };
  return redactText(rest.map(line => maskLine(line, place)).join('\n'));
}

/** Where in a manifest a line stands. */
interface Place {
  /** The last key that is not indented. */
  section: string;
  /** Deeper lines go on with the value of the line before. */
  valueIndent: number;
}

/** Of a manifest's line only a key is shown, and what names the object itself: keys of a Secret may be called so too. */
function maskLine(line: string, place: Place): string {
  if (line === '') return line;
  const nothing = Number.POSITIVE_INFINITY;
  if (/^(?:---|# Source: [\w./-]{1,300})$/.test(line)) {
    place.valueIndent = nothing;
    return line;
  }
  const indent = /^[ -]*/.exec(line)?.[0].length ?? 0;
  if (indent > place.valueIndent) return masked;
  const [key, name] = /^[ -]{0,80}([\w./-]{1,100}):(?= |$)/.exec(line) ?? [];
  // an item of a list without a key goes on right of its dash
  const start = key === undefined ? (/^ */.exec(line)?.[0].length ?? 0) : indent;
  place.valueIndent = key === line ? nothing : start;
  if (indent === 0) place.section = name ?? '';
  const shown =
    place.section === 'metadata'
      ? /^ {2}name(?:space)?: [\w./-]{1,100}$/
      : /^(?:apiVersion|kind): [\w./-]{1,100}$/;
  if (key === line || shown.test(line)) return line;
  return key === undefined ? masked : `${key} ${masked}`;
}

/** Objects and parts of them, as Kubernetes repeats them in its errors on one line: a Secret may be among them. */
const objects = /(\{(?=\\*")|map\[|found in #\d+ byte of ).*/;

function firstLine(message: string): string {
  // a secret is masked to its end before the line is cut
  const whole = (message.split('\n', 1)[0] ?? '').slice(0, maxRedactedChars);
  const line = redactText(whole.replace(objects, `$1${masked}`));
  return line.length > maxFirstLineChars ? `${line.slice(0, maxFirstLineChars)}…` : line;
}

function chainOf(error: Error): Error[] {
  const chain: Error[] = [];
  for (let next: unknown = error; next instanceof Error && chain.length < maxDepth; next = next.cause) {
    chain.push(next);
  }
  return chain;
}

/** A failure that the program expects is explained by its messages, a fault by where it began too. */
function framesOf(error: Error): string[] {
  if (error instanceof GatewayError && error.code !== Code.INTERNAL) return [];
  const lines = (chainOf(error).at(-1)?.stack ?? '').split('\n');
  return lines.filter(line => line.startsWith('    at ')).slice(0, maxFrames);
}

/**
 * A JSON payload as `--log-rpc` may show it: passwords, tokens, keys, values and manifests masked, long texts and lists
 * shortened. Takes parsed JSON; gives a copy.
 */
export function maskPayload(payload: unknown): unknown {
  let nodes = 0;
  const walk = (value: unknown, depth: number): unknown => {
    if (++nodes > payloadBounds.nodes || depth > payloadBounds.depth) return '…';
    if (typeof value === 'string') return shorten(value);
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const shown = value.slice(0, payloadBounds.items).map(item => walk(item, depth + 1));
      return value.length > payloadBounds.items
        ? [...shown, `… ${value.length - payloadBounds.items} more`]
        : shown;
    }
    const members: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value).slice(0, payloadBounds.items)) {
      const isHidden = secretName.test(name) || opaqueName.test(name);
      members.push([name, isHidden ? hidden(member) : walk(member, depth + 1)]);
    }
    return Object.fromEntries(members);
  };
  return walk(payload, 0);
}

/** The size of a text is shown, also of the one in `values: {raw}`; the size of a short one would reveal too much. */
function hidden(member: unknown): string {
  const text = typeof member === 'object' && member !== null && 'raw' in member ? member.raw : member;
  return typeof text === 'string' && text.length > 16 ? `${masked} (${text.length} characters)` : masked;
}

function shorten(value: string): string {
  const shown = redactText(value.slice(0, maxRedactedChars)).slice(0, payloadBounds.textChars);
  return value.length > payloadBounds.textChars ? `${shown}… (${value.length} characters)` : shown;
}
