import { type HttpBinding, type Method, wireToJson } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';

export interface MethodRequest {
  readonly verb: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Buffer | undefined;
  /** The time that the request gives Tiller, 0 where it says nothing. */
  readonly timeoutSeconds: bigint;
}

/** A call as the HTTP request that the contract's annotations make of it. */
export function toMethodRequest(method: Method, request: Uint8Array): MethodRequest {
  const json = wireToJson(method.request, request);
  const fields = JSON.parse(json.toString()) as Record<string, unknown>;
  const binding = chooseBinding(method, fields);
  const inPath = new Set<string>();
  const path = binding.path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    inPath.add(name);
    return pathPart(String(fields[name]));
  });
  const timeoutSeconds = BigInt((fields.timeout as string | undefined) ?? 0);
  if (binding.body) return { verb: binding.verb, target: path, body: json, timeoutSeconds };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (inPath.has(name)) continue;
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return {
    verb: binding.verb,
    target: query.size > 0 ? `${path}?${query}` : path,
    body: undefined,
    timeoutSeconds,
  };
}

/**
 * A release's name as a part of the path. An impossible name is refused in Tiller's words: servers in between would
 * read `..` or a slash as something else.
 */
function pathPart(name: string): string {
  if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name)) return name;
  throw invalidArgument(
    'invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not be longer than 53',
  );
}

/** One that takes a body where there is one, since then every field can be said; and whose path can be filled. */
function chooseBinding(method: Method, fields: Record<string, unknown>): HttpBinding {
  const fits = ({ path }: HttpBinding) =>
    [...path.matchAll(/\{(\w+)\}/g)].every(([, name]) => fields[name ?? ''] !== undefined);
  const fitting = method.bindings.filter(fits);
  const binding = fitting.find(({ body }) => body) ?? fitting[0];
  if (!binding) throw invalidArgument(`${method.name} needs the field name`);
  return binding;
}
