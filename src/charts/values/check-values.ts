import { type Config, decodeMessage, encodeMessage } from '../../codec/index.ts';
import { type Holder, inThread } from '../../protocol/index.ts';
import { mayTakeLong, mergeValues, sizeOfValues } from './merge-values.ts';

/** Values as text, and lines that are set in them. */
export interface TextValues {
  readonly yaml: string;
  readonly set: readonly string[];
  readonly setString: readonly string[];
}

/**
 * Merges values and reads all of them, also where nothing has to be merged. Empty ones become no text at all, which Helm
 * and Tiller take for none.
 * @returns hapi.chart.Config in wire format
 * @throws GatewayError INVALID_ARGUMENT, whose part of the values `wrongPart` tells
 */
export function checkValues({ yaml, set, setString }: TextValues): Buffer {
  const values = encodeMessage('hapi.chart.Config', { raw: yaml });
  const { wire, parse } = mergeValues({ values, set, setString });
  if (parse().size === 0) return Buffer.alloc(0);
  const { raw }: Config = decodeMessage('hapi.chart.Config', wire);
  return encodeMessage('hapi.chart.Config', { raw });
}

const checkInThread = inThread(import.meta.url, checkValues);

/** As `checkValues`, in a thread where that could take long. */
export function checkValuesWhereItFits(
  given: TextValues,
  signal: AbortSignal,
  hold?: Holder,
): Buffer | Promise<Buffer> {
  const values = { ...given, values: Buffer.from(given.yaml) };
  const job = { what: 'values', bytes: sizeOfValues(values), signal, hold };
  return mayTakeLong(values) ? checkInThread(job, given) : checkValues(given);
}

/** Which part of the values an error of `checkValues` is about. */
export function wrongPart(message: string): 'values' | 'set' | 'set_string' {
  const [, part] = /^(?:failed parsing )?(set|set_string)\[\d+\]/.exec(message) ?? [];
  return part === 'set' || part === 'set_string' ? part : 'values';
}
