import { randomUUID } from 'node:crypto';
import { stepFailed } from '../protocol/index.ts';

/** A page of a list. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Asks for the next page; empty on the last one. */
  readonly token: string;
  /** Where a watch continues. */
  readonly version: string;
  /** How long the page is. */
  readonly bytes: number;
}

interface ListBody<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

/** Shorter texts are not worth a place of their own. */
const minBytes = 1024;

/**
 * @param bytesKey long texts of this key come as a Buffer: a view of the page, as the text stands there
 * @throws GatewayError UNAVAILABLE for what is not JSON, Error for a list without a version
 */
export function parseListPage<T>(page: Buffer, step: string, bytesKey: string | undefined): ListPage<T> {
  let body: ListBody<T>;
  try {
    body = (
      bytesKey === undefined ? JSON.parse(page.toString()) : parseWithBytes(page, bytesKey)
    ) as typeof body;
  } catch {
    throw stepFailed(step, 'the list is not JSON'); // the parser's own text shows a piece of it
  }
  const { items, metadata } = body;
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '') throw new Error("the API server's list has no version");
  return { items: items ?? [], token: metadata?.continue ?? '', version, bytes: page.length };
}

/** No peer knows it, so that no text of a page looks like a cut one. */
const cutMark = `${randomUUID()}:`;

/**
 * JSON.parse, in which long texts of one key come as Buffers: as texts, the release records of a large cluster would be
 * copied twice and collected as garbage. A key is recognized without spaces around its colon, as API servers write it.
 */
export function parseWithBytes(json: Buffer, key: string): unknown {
  const opening = Buffer.from(`${JSON.stringify(key)}:"`);
  const cuts: Buffer[] = [];
  const rest: Buffer[] = [];
  let restStart = 0;
  for (let at = json.indexOf(opening); at >= 0; ) {
    const start = at + opening.length;
    const end = json.indexOf('"', start);
    const text = json.subarray(start, Math.max(start, end));
    if (text.length >= minBytes && !text.includes('\\')) {
      rest.push(json.subarray(restStart, start), Buffer.from(cutMark + cuts.length));
      cuts.push(text);
      restStart = end;
    }
    at = json.indexOf(opening, start + text.length);
  }
  if (cuts.length === 0) return JSON.parse(json.toString());
  rest.push(json.subarray(restStart));
  return JSON.parse(Buffer.concat(rest).toString(), (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(cutMark)
      ? cuts[Number(value.slice(cutMark.length))]
      : value,
  );
}
