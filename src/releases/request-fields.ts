import {
  acceptsWireType,
  type Copier,
  createCopier,
  decodeMessage,
  limits,
  MalformedMessage,
  type MessageTypes,
  messageType,
  rewriteMessage,
  type WireField,
  WireReader,
  WireType,
  WireWriter,
  wireFields,
} from '../codec/index.ts';
import { invalidArgument, limitExceeded } from '../protocol/index.ts';

type FieldOf<Type extends keyof MessageTypes> = keyof MessageTypes[Type] & string;
type Named<Prefix extends string> = {
  [Name in keyof MessageTypes]: Name extends `${Prefix}.${infer Method}Request` ? Method : never;
}[keyof MessageTypes];
type SwiftName = Named<'appscode.swift.v2'>;
type TillerName = Named<'hapi.services.tiller'>;

/** What was checked is what is read. @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message */
export function decodeRequest<Name extends keyof MessageTypes>(
  name: Name,
  wire: Uint8Array,
): MessageTypes[Name] {
  return decodeMessage(name, rewriteMessage(messageType(name), wire));
}

/**
 * The top-level fields of a message in wire format, by name. What a method needs to look at is read; everything else
 * stays the bytes it came as. Of a field that may come once, the last counts.
 */
export class RequestFields<Type extends keyof MessageTypes> {
  readonly wire: Uint8Array;
  readonly #byName = new Map<string, WireField[]>();

  /** @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message, or a field has a wrong wire type */
  constructor(type: Type, wire: Uint8Array) {
    this.wire = wire;
    const { byNumber } = messageType(type);
    let nodes = 0;
    try {
      for (const part of wireFields(wire)) {
        if (++nodes > limits.maxNodes)
          throw limitExceeded(`the request has more than ${limits.maxNodes} fields`);
        const field = byNumber.get(part.number);
        if (!field) continue;
        if (!acceptsWireType(field, part.wireType))
          throw invalidArgument(`${field.name} has a wrong wire type`);
        const known = this.#byName.get(field.name);
        if (known) known.push(part);
        else this.#byName.set(field.name, [part]);
      }
    } catch (cause) {
      throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
    }
  }

  has(name: FieldOf<Type>): boolean {
    return this.#byName.has(name);
  }

  /** A 64-bit or 32-bit integer, or an enum's number; 0 when it is absent. */
  integer(name: FieldOf<Type>): bigint {
    const field = this.#byName.get(name)?.at(-1);
    if (!field) return 0n;
    return BigInt.asIntN(64, new WireReader(this.wire, field.valueStart, field.end).uint64());
  }

  boolean(name: FieldOf<Type>): boolean {
    return this.integer(name) !== 0n;
  }

  string(name: FieldOf<Type>): string {
    return this.strings(name).at(-1) ?? '';
  }

  strings(name: FieldOf<Type>): string[] {
    return this.messages(name).map(value => Buffer.from(value).toString());
  }

  /** The content of bytes; undefined when it is absent or empty, which is the same in proto3. */
  bytes(name: FieldOf<Type>): Uint8Array | undefined {
    const content = this.messages(name).at(-1);
    return content && content.length > 0 ? content : undefined;
  }

  /** A nested message: where it comes several times, its parts merge, which is what joining their bytes means. */
  message(name: FieldOf<Type>): Uint8Array | undefined {
    const parts = this.messages(name);
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** The entries of a repeated field of messages. */
  messages(name: FieldOf<Type>): Uint8Array[] {
    return (this.#byName.get(name) ?? []).map(field => this.wire.subarray(field.valueStart, field.end));
  }
}

/** Which release a request is for; the namespace is empty where it names none. */
export interface ReleaseName {
  readonly name: string;
  readonly namespace: string;
}

/** Fields that stand in Tiller's request otherwise than in swift's. Bytes are messages in wire format. */
type GivenFields = Readonly<Record<string, string | number | bigint | Uint8Array | readonly number[]>>;

/**
 * Seconds that Tiller is given where the caller says nothing, as by Helm's client: with 0 it waits without end for hooks
 * and resources, also after the caller has gone.
 */
const defaultTimeoutSeconds = 300;

/** A request of `appscode.swift.v2`, and the request of Tiller that is made from it. */
export class SwiftRequest<Name extends SwiftName> extends RequestFields<`appscode.swift.v2.${Name}Request`> {
  readonly #type: `appscode.swift.v2.${Name}Request`;

  /** @throws GatewayError as RequestFields */
  constructor(name: Name, wire: Uint8Array) {
    const type = `appscode.swift.v2.${name}Request` as const;
    super(type, wire);
    this.#type = type;
  }

  get release(): ReleaseName {
    return { name: this.string('name' as never), namespace: this.string('namespace' as never) };
  }

  /**
   * Fields of the same name and type are copied, `given` ones are written in their place, and a timeout of 0 becomes the
   * default.
   * @param given by the names of Tiller's fields
   */
  toTiller(method: TillerName, given: GivenFields = {}): Buffer {
    const target = `hapi.services.tiller.${method}Request` as const;
    const isTimed = messageType(this.#type).byName.has('timeout');
    const needsTimeout = isTimed && this.integer('timeout' as never) === 0n;
    const written = needsTimeout ? { timeout: defaultTimeoutSeconds, ...given } : given;
    const out = new WireWriter(this.wire.length + 64);
    copierOf(this.#type, target, Object.keys(written))(this.wire, 0, this.wire.length, out);
    for (const [name, value] of Object.entries(written))
      writeField(out, messageType(target).byName.get(name)?.number, value);
    return out.finish();
  }
}

const copiers = new Map<string, Copier>();

function copierOf(from: keyof MessageTypes, to: keyof MessageTypes, omit: readonly string[]): Copier {
  const key = [from, to, ...omit].join(' ');
  const copier = copiers.get(key) ?? createCopier(from, to, { omit });
  copiers.set(key, copier);
  return copier;
}

function writeField(out: WireWriter, number: number | undefined, value: GivenFields[string]): void {
  if (number === undefined) throw new Error("a field that Tiller's request has not");
  if (typeof value === 'string') out.stringField(number, value);
  else if (value instanceof Uint8Array) out.bytesField(number, value);
  else if (typeof value === 'object')
    for (const one of value) out.tag(number, WireType.VARINT).int64(BigInt(one));
  else out.intField(number, value);
}
