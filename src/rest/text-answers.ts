import type { Request } from 'express';
import { decodeMessage, jsonToWire, type MessageTypes, type Method } from '../codec/index.ts';
import type { Content, Exchange } from '../http/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';

/** How a reply reads as text, and as which media types. */
interface TextForm {
  readonly types: readonly string[];
  toText(reply: Uint8Array): string;
}

const json = 'application/json';
const plain = 'text/plain';
/** RFC 9512, and what was sent before there was a registered type. */
const yaml = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

const reader =
  <Name extends keyof MessageTypes>(name: Name, toText: (reply: MessageTypes[Name]) => string) =>
  (reply: Uint8Array) =>
    toText(decodeMessage(name, Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength)));

/** The texts of all objects that differ, with a line for those without a text. */
const unified = reader('appscode.swift.v2.DiffRevisionsResponse', ({ objects }) =>
  objects
    .filter(({ change }) => change !== 'UNCHANGED')
    .map(({ diff, change, kind, name }) => diff || `# ${kind} ${name}: ${change}, too large to show\n`)
    .join(''),
);

/** The methods whose replies are there as text too, by name. */
const textForms: Readonly<Record<string, TextForm>> = {
  GetReleaseManifest: {
    types: [plain, ...yaml],
    toText: reader('appscode.swift.v2.GetReleaseManifestResponse', ({ manifest }) => manifest),
  },
  GetReleaseHooks: {
    types: [plain, ...yaml],
    // as `helm get hooks` prints them
    toText: reader('appscode.swift.v2.GetReleaseHooksResponse', ({ hooks }) =>
      hooks.map(({ name, manifest }) => `---\n# ${name.replace(/\s/g, ' ')}\n${manifest}\n`).join(''),
    ),
  },
  GetReleaseNotes: {
    types: [plain],
    toText: reader('appscode.swift.v2.GetReleaseNotesResponse', ({ notes }) => notes),
  },
  DiffRevisions: { types: [plain, 'text/x-diff'], toText: unified },
  DiffRelease: { types: [plain, 'text/x-diff'], toText: unified },
  GetReleaseValues: {
    types: [plain, ...yaml],
    toText: reader('appscode.swift.v2.GetReleaseValuesResponse', ({ raw }) => raw),
  },
};

/** The media types beside JSON in which a method is answered, each with what becomes of a reply. */
export function textAnswersOf({ name, response }: Method, reply: unknown): [type: string, example: string][] {
  const form = textForms[name];
  if (!form) return [];
  const example = form.toText(jsonToWire(response, Buffer.from(JSON.stringify(reply))));
  return form.types.map(type => [type, example]);
}

/**
 * The text that the client prefers to JSON, by its `Accept` with its weights.
 * @returns what makes the answer of a reply; undefined for JSON
 * @throws GatewayError INVALID_ARGUMENT with reason NOT_ACCEPTABLE (HTTP 406) where the method has none of the types
 */
export function wantedText(
  { request, response }: Exchange,
  method: string,
): ((reply: Uint8Array) => Content) | undefined {
  const form = textForms[method];
  if (!form) return undefined;
  response.appendHeader('Vary', 'Accept');
  const offered = [json, ...form.types];
  const type = (request as unknown as Request).accepts(offered);
  if (type === json) return undefined;
  if (type === false) {
    const message = `Accept: the answer is there as ${offered.join(', ')}`;
    throw new GatewayError(Code.INVALID_ARGUMENT, message, { reason: 'NOT_ACCEPTABLE' });
  }
  const sent = String(type).startsWith('text/') ? `${type}; charset=utf-8` : String(type);
  return reply => ({ status: 200, type: sent, body: Buffer.from(form.toText(reply)) });
}
