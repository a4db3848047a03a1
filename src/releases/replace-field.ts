import { WireType, WireWriter, wireFields } from '../codec/index.ts';

/**
 * A message with the content of one nested field replaced; everything else stays the bytes it is.
 * @param path field numbers from the top to the field
 * @param replace takes the field's content and gives the new one
 * @throws MalformedMessage
 */
export function replaceField(
  message: Uint8Array,
  path: readonly number[],
  replace: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const [number, ...rest] = path;
  const out = new WireWriter(message.length + 64);
  for (const field of wireFields(message)) {
    if (field.number !== number || field.wireType !== WireType.BYTES) {
      out.raw(message.subarray(field.start, field.end));
      continue;
    }
    const content = message.subarray(field.valueStart, field.end);
    out.bytesField(number, rest.length > 0 ? replaceField(content, rest, replace) : replace(content));
  }
  return out.finish();
}
