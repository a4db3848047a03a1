import type { MessageTypes } from './messages.gen.ts';
import { type Field, type MessageType, messageType } from './schema.ts';
import { WireReader, WireType } from './wire-format.ts';
import type { WireWriter } from './wire-writer.ts';

/** Copies the fields of one message into another of a different type, by name. */
export type Copier = (bytes: Uint8Array, start: number, end: number, out: WireWriter) => void;

export interface CopyOptions {
  /** Fields of the source that are not copied: the caller writes them in another form. */
  readonly omit?: readonly string[];
  /** Names that differ: name in the source → name in the target. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Fields of the source whose message is copied into one of the target's by a copier of its own. */
  readonly nested?: Readonly<Record<string, Copier>>;
  /** Fields of the source whose message's own fields go right into the target. */
  readonly flatten?: Readonly<Record<string, Copier>>;
  /** Fields that the source's bytes may hold beside those of its type: number in the source → name in the target. */
  readonly beside?: Readonly<Record<number, string>>;
}

/** What happens with a field of the source, by number. */
type Plan = { readonly target: number; readonly nested?: Copier } | { readonly flatten: Copier };

/**
 * Compiles a copier for a pair of message types. A field is copied, as its bytes stand, where the target has one of the
 * same name (in either spelling) and type. Fields that the target has not are dropped, unknown ones too.
 * @throws Error when a name is the same and the type is not, unless an option says what to do
 */
export function createCopier<From extends keyof MessageTypes, To extends keyof MessageTypes>(
  from: From,
  to: To,
  options: CopyOptions = {},
): Copier {
  const source = messageType(from);
  const target = messageType(to);
  const plans: (Plan | undefined)[] = [];
  for (const field of source.fields) plans[field.number] = toPlan(field, target, options);
  for (const [number, name] of Object.entries(options.beside ?? {})) {
    const counterpart = target.byName.get(name);
    if (!counterpart) throw new Error(`${target.name} has no ${name}`);
    plans[Number(number)] = { target: counterpart.number };
  }
  return (bytes, start, end, out) => {
    const reader = new WireReader(bytes, start, end);
    while (!reader.done) {
      const tag = reader.tag();
      const plan = plans[tag >>> 3];
      const valueStart = reader.position;
      if (!plan) {
        reader.skip(tag & 7);
      } else if ('target' in plan && !plan.nested) {
        reader.skip(tag & 7);
        out.tag(plan.target, tag & 7).raw(bytes.subarray(valueStart, reader.position));
      } else if ((tag & 7) === WireType.BYTES) {
        const valueEnd = reader.lengthEnd();
        copyNested(plan, bytes, reader.position, valueEnd, out);
        reader.position = valueEnd;
      } else {
        reader.skip(tag & 7);
      }
    }
  };
}

function copyNested(plan: Plan, bytes: Uint8Array, start: number, end: number, out: WireWriter): void {
  if ('flatten' in plan) {
    plan.flatten(bytes, start, end, out);
    return;
  }
  const mark = out.tag(plan.target, WireType.BYTES).open();
  plan.nested?.(bytes, start, end, out);
  out.close(mark);
}

function toPlan(field: Field, target: MessageType, options: CopyOptions): Plan | undefined {
  if (options.omit?.includes(field.name)) return undefined;
  const flatten = options.flatten?.[field.name];
  if (flatten) return { flatten };
  const renamed = options.rename?.[field.name];
  const counterpart =
    target.byName.get(renamed ?? field.name) ?? target.byName.get(renamed ?? field.camelName);
  if (!counterpart && renamed !== undefined) throw new Error(`${target.name} has no ${renamed}`);
  if (!counterpart) return undefined;
  const nested = options.nested?.[field.name];
  if (nested) return { target: counterpart.number, nested };
  if (!isSameType(field, counterpart))
    throw new Error(`${field.name} has another type in ${target.name}: it cannot be copied as it is`);
  return { target: counterpart.number };
}

/** Enums count as the same when their numbers mean the same: swift has copies of some of Tiller's. */
function isSameType(one: Field, other: Field): boolean {
  if (one.repeated !== other.repeated || one.map !== other.map) return false;
  if (one.type === other.type) return true;
  return (
    typeof one.type === 'object' &&
    typeof other.type === 'object' &&
    one.type.kind === 'enum' &&
    other.type.kind === 'enum' &&
    JSON.stringify([...one.type.numbers]) === JSON.stringify([...other.type.numbers])
  );
}
