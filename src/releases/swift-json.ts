import {
  type Copier,
  createCopier,
  createWireToJson,
  limits,
  messageType,
  WireWriter,
} from '../codec/index.ts';
import { whereItFits } from '../protocol/index.ts';
import { yamlToJson } from '../yaml/index.ts';
import { RequestFields } from './request-fields.ts';

/*
 * Replies as swift's clients get them. All of it may run in a thread.
 */

/** A message as JSON. Left out is what Tiller sends and swift, made with an older contract, never knew; over gRPC it is there. */
export const swiftJson = createWireToJson(new Set(['hapi.release.Hook.delete_timeout']));

/**
 * A reply in wire format as the JSON that swift's clients had.
 * @param type full name of the message
 * @throws MalformedMessage
 */
export function writeReply(type: string, reply: Uint8Array): Buffer {
  return swiftJson(messageType(type), reply);
}

/**
 * Replies up to here are written where they arrive: handing them to a thread and back costs half as much again as the
 * writing, and the worst of that size, nothing but empty fields or control characters, takes 50 ms.
 */
const maxReplyHereBytes = 1280 * 1024;

export const replyToJson = whereItFits(import.meta.url, writeReply, maxReplyHereBytes);

const config = 'hapi.chart.Config';
const release = 'hapi.release.Release';
const content = 'appscode.swift.v2.GetReleaseContentResponse';
const copyConfig = createCopier(config, config, { omit: ['raw'] });

/**
 * A Config with its text as JSON; no text is `null`, as it is for swift. Text that is no YAML, or holds what JSON
 * cannot, stays as it is, so that the caller gets all of it in any case.
 */
const configToJson: Copier = (bytes, start, end, out) => {
  const wire = bytes.subarray(start, end);
  try {
    const json = yamlToJson(new RequestFields(config, wire).string('raw'), { maxNodes: limits.maxNodes });
    out.bytesField(messageType(config).byName.get('raw')!.number, Buffer.from(json));
    copyConfig(wire, 0, wire.length, out);
  } catch {
    out.raw(wire);
  }
};

/** Values stand at two places in the answer. */
const copyWithJson = createCopier(content, content, {
  nested: {
    release: createCopier(release, release, {
      nested: {
        config: configToJson,
        chart: createCopier('hapi.chart.Chart', 'hapi.chart.Chart', { nested: { values: configToJson } }),
      },
    }),
  },
});

/**
 * A GetReleaseContentResponse with its values as JSON text.
 * @throws MalformedMessage
 */
export function writeValuesAsJson(reply: Uint8Array): Uint8Array {
  const out = new WireWriter(reply.length + 64);
  copyWithJson(reply, 0, reply.length, out);
  return out.finish();
}

export const valuesToJson = whereItFits(import.meta.url, writeValuesAsJson);
