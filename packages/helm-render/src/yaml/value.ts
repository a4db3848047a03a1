/**
 * A YAML or JSON value as Go's libraries hold it after `ghodss/yaml` turned YAML into JSON.
 *
 * Integers are `bigint` (exact, whatever their size), floats are `number`; so `1` and `1.0` stay different values.
 * Maps are `Map`s with string keys in the order of the text: unlike an object, a Map has no prototype that a key such
 * as `__proto__` could reach, and integer-like keys keep their place.
 */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | YamlMap;
export type YamlMap = Map<string, YamlValue>;
