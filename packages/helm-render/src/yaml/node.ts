/** A YAML document as it is written: scalars still text, aliases still references. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string;
  /** The full tag, such as `tag:yaml.org,2002:str`; '' where none is given. */
  readonly tag: string;
  /** Without quotes and not in a block, so that its type follows from its text. */
  readonly plain: boolean;
}

export interface SequenceNode {
  readonly kind: 'sequence';
  readonly items: YamlNode[];
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode {
  readonly kind: 'alias';
  readonly name: string;
  readonly target: YamlNode;
}

/**
 * A YAML or JSON value as Go's libraries hold it after `ghodss/yaml` turned YAML into JSON.
 *
 * Integers are `bigint` (exact, whatever their size), floats are `number`; so `1` and `1.0` stay different values.
 * Maps are `Map`s with string keys in the order of the text: unlike an object, a Map has no prototype that a key such
 * as `__proto__` could reach, and integer-like keys keep their place.
 */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | YamlMap;
export type YamlMap = Map<string, YamlValue>;
