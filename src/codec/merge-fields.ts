import type { Field } from './schema.ts';
import { type WireField, wireFields } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * A message's bytes with each number's fields standing together. Of what may come once the last value counts, and
 * messages merge, which is what joining their bytes means.
 * Source: https://protobuf.dev/programming-guides/encoding/#last-one-wins
 * @param fieldOf the field to take a found one as; undefined drops it
 * @throws MalformedMessage
 */
export function inFieldOrder(
  fieldOf: (found: WireField) => Field | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): Buffer {
  const byNumber = new Map<number, Uint8Array[]>();
  const contents = new Map<number, Uint8Array[]>();
  for (const found of wireFields(bytes, start, end)) {
    const field = fieldOf(found);
    if (!field) continue;
    const once = !field.repeated && !field.map;
    const isMessage = typeof field.type === 'object' && field.type.kind === 'message';
    if (once && isMessage) {
      append(contents, found.number, bytes.subarray(found.valueStart, found.end));
    } else {
      if (once) byNumber.delete(found.number);
      append(byNumber, found.number, bytes.subarray(found.start, found.end));
    }
  }
  const writer = new WireWriter(end - start + 64);
  for (const fields of byNumber.values()) for (const field of fields) writer.raw(field);
  for (const [number, parts] of contents) writer.bytesField(number, Buffer.concat(parts));
  return writer.finish();
}

function append(map: Map<number, Uint8Array[]>, key: number, value: Uint8Array): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
