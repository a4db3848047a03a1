import type { TillerClient } from '../backends/index.ts';
import { WireWriter } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { yamlToJson } from '../yaml/index.ts';
import { replaceField } from './replace-field.ts';
import { RequestFields } from './request-fields.ts';

/** Fields 1 and 2, name and version, are Tiller's as well. */
const formatValuesAsJson = 3;

/** Where values stand in the answer: `release.config` and `release.chart.values`, both hapi.chart.Config. */
const configPaths = [
  [1, 4],
  [1, 3, 4],
];
const raw = 1;

/** One revision of a release, whole; its values as JSON text where that is asked for. */
export async function getReleaseContent(
  tiller: TillerClient,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swift);
  const request = Buffer.concat([...fields.raw(1), ...fields.raw(2)]);
  const reply: Uint8Array = await tiller.unary('GetReleaseContent', request, context);
  if (!fields.boolean(formatValuesAsJson)) return reply;
  return configPaths.reduce((message, path) => replaceField(message, path, configToJson), reply);
}

/**
 * A Config with its text as JSON; no text is `null`, as it is for swift. Text that is no YAML, or holds what JSON
 * cannot, stays as it is: the caller gets all there is either way.
 */
function configToJson(config: Uint8Array): Uint8Array {
  const fields = new RequestFields(config);
  try {
    const json = yamlToJson(fields.string(raw));
    return Buffer.concat([new WireWriter().stringField(raw, json).finish(), ...fields.rawExcept(raw)]);
  } catch {
    return config;
  }
}
