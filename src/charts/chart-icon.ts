import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import { decodeUtf8, inSource } from './chart/chart-yaml.ts';
import type { Downloader } from './download/downloader.ts';
import { parseSourceUrl } from './download/source.ts';

/** A picture by its own bytes, whatever a server or a name says of it. */
export interface ChartIcon {
  /** Media type. */
  readonly type: string;
  readonly data: Uint8Array;
}

/** Far above what dashboards show. */
const maxIconBytes = 1024 * 1024;

/** What Chart.yaml names as its icon. */
export interface NamedIcon {
  /** How messages name the chart. */
  readonly chart: string;
  /** A URL, or the path of a file in the chart; empty where there is none. */
  readonly icon: string;
  /** The file of the chart that `icon` names, where there is one. */
  readonly file?: Uint8Array | undefined;
}

/**
 * The icon of a chart: a file of it, a `data:` URL, or a download under the rules for charts, without credentials.
 * @throws GatewayError NOT_FOUND where the chart has no icon; INVALID_ARGUMENT with reason CHART_INVALID for what is no
 * picture or too large; as Downloader.fetch
 */
export function readIcon(named: NamedIcon, downloader: Downloader, signal: AbortSignal): Promise<ChartIcon> {
  return inSource(`the icon of ${named.chart}`, async () => {
    const data = named.file ?? (await fetchIcon(named.icon, downloader, signal));
    if (data.length > maxIconBytes) throw notUsable(`is larger than ${maxIconBytes} bytes`);
    const type = pictureType(data);
    if (!type) throw notUsable('is no picture that is known here: PNG, JPEG, GIF, WebP or SVG');
    return { type, data };
  });
}

/** Whether the icon can be had without the chart itself. */
export function isUrl(icon: string): boolean {
  return /^(?:https?|data):/i.test(icon);
}

async function fetchIcon(icon: string, downloader: Downloader, signal: AbortSignal): Promise<Uint8Array> {
  if (icon === '') throw new GatewayError(Code.NOT_FOUND, 'there is none: Chart.yaml names no icon');
  if (/^data:/i.test(icon)) return decodeDataUrl(icon);
  if (!isUrl(icon)) throw notUsable('is neither an http(s) or data URL nor a file of the chart');
  const { url } = parseSourceUrl(icon);
  // whoever wrote the chart gives no password of theirs to whoever looks at it
  return downloader.fetch({ source: { url }, credentials: {}, maxBytes: maxIconBytes }, signal);
}

/** https://www.rfc-editor.org/rfc/rfc2397; its media type is not asked for. */
function decodeDataUrl(url: string): Uint8Array {
  const comma = url.indexOf(',');
  if (comma < 0 || comma > 200) throw notUsable('is a data URL that cannot be read');
  const content = url.slice(comma + 1);
  if (content.length > maxIconBytes * 3) throw notUsable(`is larger than ${maxIconBytes} bytes`);
  if (/;\s*base64$/i.test(url.slice(0, comma))) return Buffer.from(content, 'base64');
  try {
    return Buffer.from(decodeURIComponent(content));
  } catch (cause) {
    throw notUsable('is a data URL that cannot be read', cause);
  }
}

function notUsable(message: string, cause?: unknown): GatewayError {
  return invalidArgument(message, { reason: 'CHART_INVALID', cause });
}

const signatures: readonly (readonly [type: string, pattern: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n.\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
];

/** Longer comments and declarations in front of an SVG's own element are no picture's. */
const maxPrologChars = 16 * 1024;

function pictureType(data: Uint8Array): string | undefined {
  const head = Buffer.from(data.subarray(0, 16)).toString('latin1');
  const known = signatures.find(([, pattern]) => pattern.test(head));
  if (known) return known[0];
  return isSvg(data) ? 'image/svg+xml' : undefined;
}

/** An XML text whose first element is `svg`: what HTML would be shown as HTML is none. */
function isSvg(data: Uint8Array): boolean {
  const start = data.subarray(0, maxPrologChars);
  if (start.includes(0) || decodeUtf8(data) === undefined) return false;
  let rest = Buffer.from(start)
    .toString()
    .replace(/^\ufeff/, '');
  for (;;) {
    rest = rest.trimStart();
    const [skipped] =
      /^(?:<\?[^>]*\?>|<!--.*?-->|<!DOCTYPE\s+svg[^>[]*(?:\[[^\]]*\]\s*)?>)/s.exec(rest) ?? [];
    if (skipped === undefined) return /^<(?:[A-Za-z][\w.-]*:)?svg[\s/>]/.test(rest);
    rest = rest.slice(skipped.length);
  }
}
