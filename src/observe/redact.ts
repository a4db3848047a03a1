import { masked, maskUrlCredentials } from '../config/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';

/** Names whose values are secret, wherever they stand. `client_certificate` and `ca_bundle` are swift's chart credentials. */
const secretName =
  /pass(?:word|wd|phrase)?$|token$|secret|credential|authorization$|cookie$|(?:private|client|api|access|secret)[-_]?key$|client_?certificate$|ca_?bundle$/i;

/** Credentials inside texts, such as the message of a library's error. Each pattern is bounded, so that it stays linear. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{1,40}-----[^-]{0,20000}(?:-----END [A-Z ]{1,40}-----)?/g, masked],
  // a signed URL's signature stands in its query
  [/(:\/\/[^\s"'<>?]{1,2048}\?)[^\s"'<>]{1,8192}/g, `$1${masked}`],
  [/\b(bearer|basic)\s+[\w~+/.=-]{1,8192}/gi, `$1 ${masked}`],
  [
    /\b([\w-]{0,40}(?:password|passwd|token|secret|api[-_]?key|authorization)["']?\s{0,5}[=:]\s{0,5}["']?)[^\s"',;&}]{1,8192}/gi,
    `$1${masked}`,
  ],
];

/** What every text with a secret in it contains; most texts do not, and one look is cheaper than four replacements. */
const suspicious = /:\/\/|-----begin|bearer|basic|passw|token|secret|key|authorization/i;

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
  let redacted = maskUrlCredentials(value);
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
  return redactText(rest.map(maskLine).join('\n'));
}

/** Of a manifest's line only a key is shown, and what names an object. */
function maskLine(line: string): string {
  if (
    /^(?:---|# Source: [\w./-]{1,300}|\s{0,80}(?:apiVersion|kind|name|namespace): [\w./-]{1,100})$/.test(line)
  )
    return line;
  const key = /^[ -]{0,80}[\w./-]{1,100}:/.exec(line)?.[0];
  if (key === line) return line;
  return key === undefined ? line && masked : `${key} ${masked}`;
}

function firstLine(message: string): string {
  // a secret is masked to its end before the line is cut
  const line = redactText((message.split('\n', 1)[0] ?? '').slice(0, maxRedactedChars));
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
