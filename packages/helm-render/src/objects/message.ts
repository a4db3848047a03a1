import { type GoFunction, goFunction } from '../go/function.ts';
import { GoStruct, type GoValue } from '../go/value.ts';
import { type ProtoField, protoText } from './proto-text.ts';

/** One field of a protocol message as Go's generated code shows it to templates. */
export interface MessageField {
  /** Go's field name, `AppVersion`. */
  readonly name: string;
  /** The name in the message's JSON and text forms, `appVersion`. */
  readonly wireName: string;
  readonly value: GoValue;
  readonly text: ProtoField;
}

const isDefault = (value: GoValue) =>
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (value instanceof Map && value.size === 0);

/** A pointer to a generated message struct: fields, a getter for each, String(), and JSON without default values. */
export function createMessage(type: string, fields: readonly MessageField[]): GoStruct {
  const text = () => protoText(fields.map(({ wireName, text }) => [wireName, text] as const));
  const getters = fields.map(({ name, value }): [string, GoFunction] => [
    `Get${name}`,
    goFunction([], () => value, { result: 'concrete' }),
  ]);
  return new GoStruct(type, {
    fields: fields.map(({ name, value }) => [name, { value }] as const),
    methods: [...getters, ['String', goFunction([], text, { result: 'string' })]],
    text,
    json: () =>
      new Map(
        fields.filter(({ value }) => !isDefault(value)).map(({ wireName, value }) => [wireName, value]),
      ),
  });
}
