import { badRequest, expired, KubeFailure } from '../objects/failure.ts';
import { goJsonFault } from '../objects/go-json-fault.ts';
import { isObject, type KubeObject, type Labels } from '../objects/kube-object.ts';
import { parseFieldSelector, parseLabelSelector } from '../objects/label-selector.ts';
import { type ObjectStore, placeKey } from '../objects/object-store.ts';
import type { ServedResource } from '../objects/resources.ts';

/** What a list or watch asks for. */
export interface ListQuery {
  readonly matches: (object: KubeObject) => boolean;
  /** Whether `matches` leaves anything out. */
  readonly selects: boolean;
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  /** Undefined when none was given. */
  readonly resourceVersion: number | undefined;
  readonly isWatch: boolean;
  readonly allowBookmarks: boolean;
  /** 0: the server's own. */
  readonly timeoutSeconds: number;
}

/** @throws KubeFailure 400, or 500 for a version that is no number, as the API server has it */
export function readListQuery(query: URLSearchParams, { kind }: ServedResource): ListQuery {
  const labelSelector = query.get('labelSelector') ?? '';
  const fieldSelector = query.get('fieldSelector') ?? '';
  const matchesLabels = parseLabelSelector(labelSelector);
  const matchesFields = parseFieldSelector(fieldSelector, kind);
  return {
    matches: object => matchesLabels((object.metadata.labels ?? {}) as Labels) && matchesFields(object),
    selects: labelSelector.trim() !== '' || fieldSelector.trim() !== '',
    limit: readNumber(query, 'limit'),
    continueToken: query.get('continue') ?? '',
    resourceVersion: readResourceVersion(query.get('resourceVersion') ?? ''),
    isWatch: isTrue(query.get('watch')),
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutSeconds: readNumber(query, 'timeoutSeconds'),
  };
}

export function isTrue(value: string | null): boolean {
  return value !== null && !/^(|0|f|false)$/i.test(value);
}

function readNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^-?\d{1,15}$/.test(text)) {
    const parsing = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw badRequest(`converting (url.Values) to (v1.ListOptions): ${parsing}`);
  }
  return Math.max(0, Number(text));
}

function readResourceVersion(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const quoted = JSON.stringify(text);
  const parsing = `strconv.ParseUint: parsing ${quoted}: invalid syntax`;
  throw new KubeFailure(500, '', `resourceVersion: Invalid value: ${quoted}: ${parsing}`);
}

/** A part of a list. */
export interface Page {
  readonly items: readonly KubeObject[];
  /** The version whose state the list shows. */
  readonly version: number;
  /** Where the next page begins; undefined for the last one. */
  readonly continueToken?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

/**
 * The objects that a query asks for, all pages from the state that the first one saw.
 * @throws KubeFailure 400; 410 where that state is no longer known; 504 for a version that is not there yet
 */
export function readPage(
  store: ObjectStore,
  table: string,
  namespace: string | undefined,
  query: ListQuery,
): Page {
  const { version: asked, start } = readToken(query.continueToken);
  refuseFuture(store, query.resourceVersion);
  const version = asked > 0 ? asked : store.version;
  const objects =
    version === store.version ? store.list(table, namespace) : store.listAt(table, namespace, version);
  if (!objects) throw tooOldToken(store, start);
  const keyOf = (object: KubeObject) =>
    namespace ? object.metadata.name : placeKey(object).replace(/^\//, '');
  const rest = start === '' ? objects : objects.filter(object => keyOf(object) >= start);
  const matching = query.selects ? rest.filter(query.matches) : rest;
  if (query.limit === 0 || matching.length <= query.limit) return { items: matching, version };
  const items = matching.slice(0, query.limit);
  return {
    items,
    version,
    continueToken: writeToken(version, `${keyOf(items.at(-1)!)}\0`),
    ...(query.selects ? {} : { remainingItemCount: matching.length - query.limit }),
  };
}

const tokenVersion = 'meta.k8s.io/v1';

function writeToken(version: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: tokenVersion, rv: version, start })).toString('base64url');
}

/** A version of -1 asks for the rest as it is now. */
function readToken(token: string): { version: number; start: string } {
  if (token === '') return { version: 0, start: '' };
  const bytes = Buffer.from(token, 'base64url');
  const fault = goJsonFault(bytes.toString('latin1'));
  if (fault !== undefined) throw invalidToken(`continue key is not valid: ${fault}`);
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  const { v, rv, start } = isObject(parsed) ? parsed : {};
  if (v !== tokenVersion)
    throw invalidToken(`server does not recognize this encoded version ${JSON.stringify(v ?? '')}`);
  if (typeof start !== 'string' || start === '' || !Number.isSafeInteger(rv) || rv === 0) {
    throw invalidToken('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  return { version: rv as number, start };
}

function invalidToken(why: string): KubeFailure {
  return badRequest(`invalid continue token: ${why}`);
}

/** Carries a token by which the client can go on without a consistent list. */
function tooOldToken(store: ObjectStore, start: string): KubeFailure {
  const token = start === '' ? writeToken(store.version, '\0') : writeToken(-1, start);
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
    token,
  );
}

function refuseFuture(store: ObjectStore, version: number | undefined): void {
  if (version === undefined || version <= store.version) return;
  throw new KubeFailure(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${version}, current: ${store.version}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
}
