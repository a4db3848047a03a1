/** Sprig's URL functions, and the one that asks the network. https://masterminds.github.io/sprig/url.html */
import { isIP } from 'node:net';
import type { Functions } from '../go/function.ts';
import { GoError, goFunction } from '../go/function.ts';
import { type GoMap, type GoValue, kindOf } from '../go/value.ts';
import { formatUrl, hostname, parseUrl, UrlError } from './go-url.ts';

/** Sprig panics with its own words before the error's. */
function parse(raw: string, failure: string) {
  try {
    return parseUrl(raw);
  } catch (error) {
    if (error instanceof UrlError) throw new GoError(`${failure}: ${error.message}`);
    throw error;
  }
}

function urlParse(raw: string): GoMap {
  const url = parse(raw, 'unable to parse url');
  return new Map<string, GoValue>([
    ['scheme', url.scheme],
    ['host', url.host],
    ['hostname', hostname(url.host)],
    ['path', url.path],
    ['query', url.rawQuery],
    ['opaque', url.opaque],
    ['fragment', url.fragment],
    ['userinfo', url.userinfo],
  ]);
}

function textOf(map: GoMap, key: string): string {
  const value = map.get(key);
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (value === null) throw new GoError('runtime error: invalid memory address or nil pointer dereference');
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
}

function urlJoin(map: GoMap): string {
  const userinfo = textOf(map, 'userinfo');
  return formatUrl({
    scheme: textOf(map, 'scheme'),
    opaque: textOf(map, 'opaque'),
    userinfo:
      userinfo === '' ? '' : parse(`proto://${userinfo}@host`, 'unable to parse userinfo in dict').userinfo,
    host: textOf(map, 'host'),
    path: textOf(map, 'path'),
    rawQuery: textOf(map, 'query'),
    fragment: textOf(map, 'fragment'),
  });
}

/**
 * The sandbox asks no name server: `localhost` and addresses have an address; any other name fails as in a Tiller whose
 * name server knows none.
 */
function getHostByName(name: string): string {
  if (name === 'localhost') return '127.0.0.1';
  if (isIP(name) !== 0) return name;
  throw new GoError('invalid argument to Intn');
}

export const urlFunctions: Functions = [
  [
    'urlParse',
    goFunction(['string'], ([raw]) => urlParse(raw as string), { result: 'map[string]interface {}' }),
  ],
  [
    'urlJoin',
    goFunction(['map[string]interface {}'], ([map]) => urlJoin(map as GoMap), { result: 'string' }),
  ],
  ['getHostByName', goFunction(['string'], ([name]) => getHostByName(name as string), { result: 'string' })],
];
