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
      const isHidden = isSecretName(name) || opaqueName.test(name);
      members.push([name, isHidden ? hidden(member) : walk(member, depth + 1)]);
    }
    return Object.fromEntries(members);
  };
  return walk(payload, 0);
}

/** The size of a text is told, also of the one in `values: {raw}`; that of a short one would tell too much. */
function hidden(member: unknown): string {
  const text = typeof member === 'object' && member !== null && 'raw' in member ? member.raw : member;
  return typeof text === 'string' && text.length > 16 ? `${masked} (${text.length} characters)` : masked;
}

function shorten(value: string): string {
  const shown = redactText(value.slice(0, maxTextChars));
  return value.length > maxTextChars ? `${shown}… (${value.length} characters)` : shown;
}
