import { masked } from '../config/index.ts';
import { isSecretName, redactText } from './redact.ts';

/**
 * Fields of Tiller's and swift's messages in which anything can be: values hold passwords, a manifest holds Secrets, and
 * notes often print both. Their presence and size are shown, never their contents.
 */
const opaqueName =
  /^(?:raw|values|values_?json|set|set_?string|manifest|notes|resources|chart_?archive|data|value)$/i;

const maxDepth = 8;
const maxItems = 20;
const maxTextChars = 200;
/** All in all, so that a message of a thousand releases is not walked to its end. */
const maxNodes = 500;

/**
 * A JSON payload as `--log-rpc` may show it: passwords, tokens, keys, values and manifests masked, long texts and lists
 * shortened. Takes parsed JSON; gives a copy.
 */
export function maskPayload(payload: unknown): unknown {
  let nodes = 0;
  const walk = (value: unknown, depth: number): unknown => {
    if (++nodes > maxNodes || depth > maxDepth) return '…';
    if (typeof value === 'string') return shorten(value);
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const shown = value.slice(0, maxItems).map(item => walk(item, depth + 1));
      return value.length > maxItems ? [...shown, `… ${value.length - maxItems} more`] : shown;
    }
    const members: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value).slice(0, maxItems)) {
      members.push([name, isHidden(name, member) ? hidden(member) : walk(member, depth + 1)]);
    }
    return Object.fromEntries(members);
  };
  return walk(payload, 0);
}

/** `values: {raw}` is walked into, and `raw` hidden there. */
function isHidden(name: string, member: unknown): boolean {
  if (isSecretName(name)) return true;
  return opaqueName.test(name) && !(isObject(member) && Object.hasOwn(member, 'raw'));
}

function hidden(member: unknown): string {
  return typeof member === 'string' && member.length > 16
    ? `${masked} (${member.length} characters)`
    : masked;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shorten(value: string): string {
  const shown = redactText(value.slice(0, maxTextChars));
  return value.length > maxTextChars ? `${shown}… (${value.length} characters)` : shown;
}
