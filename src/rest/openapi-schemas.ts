import type { EnumType, Field, MessageType, ScalarType } from '../codec/index.ts';

/** A JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
export type Schema = Record<string, unknown>;

const scalars: Readonly<Partial<Record<ScalarType, Schema>>> = {
  bool: { type: 'boolean' },
  string: { type: 'string' },
  bytes: { type: 'string', contentEncoding: 'base64' },
  int32: { type: 'integer', format: 'int32' },
  uint32: { type: 'integer', format: 'uint32', minimum: 0 },
  double: { type: 'number', format: 'double' },
};

/** Messages whose JSON is not an object with their fields. */
const wellKnown: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Struct': { type: 'object', additionalProperties: true },
};

/** Collects the schemas of the messages and enums that a document refers to, each once. */
export class SchemaCollector {
  readonly schemas: Record<string, Schema> = {};

  /** A reference to a message's schema, which is added with everything it holds. */
  message(type: MessageType): Schema {
    const known = wellKnown[type.name];
    if (known) return known;
    if (!this.schemas[type.name]) {
      const properties: Record<string, Schema> = {};
      this.schemas[type.name] = {
        type: 'object',
        ...(type.comment && { description: type.comment }),
        properties,
      };
      const isRequest = type.name.endsWith('Request');
      for (const field of type.fields) properties[field.name] = this.field(field, isRequest);
    }
    return { $ref: `#/components/schemas/${type.name}` };
  }

  /**
   * The schema of a field with its description.
   * @param read true where the value is read: 64-bit integers may then be numbers as well as strings
   */
  field(field: Field, read: boolean): Schema {
    const item = this.#value(field.type, read);
    const schema = field.map
      ? { type: 'object', additionalProperties: item }
      : field.repeated
        ? { type: 'array', items: item }
        : item;
    return field.comment ? { ...schema, description: field.comment } : schema;
  }

  #value(type: Field['type'], read: boolean): Schema {
    if (typeof type === 'object')
      return type.kind === 'message' ? this.message(type) : this.#enumeration(type);
    if (type === 'int64') return { type: read ? ['string', 'integer'] : 'string', format: 'int64' };
    const schema = scalars[type];
    if (!schema) throw new Error(`the contract has no field of type ${type}`);
    return schema;
  }

  #enumeration(type: EnumType): Schema {
    this.schemas[type.name] ??= { type: 'string', enum: [...type.numbers.keys()] };
    return { $ref: `#/components/schemas/${type.name}` };
  }
}
