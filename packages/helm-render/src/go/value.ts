/**
 * Go's values as the renderer holds them. Charts see Go's types through `printf "%T"`, `kindOf`, error texts and the
 * checks of function arguments, so the types that matter there are kept apart; everything else is plain JavaScript.
 *
 * | Go | here |
 * |---|---|
 * | nil interface | `null` |
 * | bool | `boolean` |
 * | string (bytes) | `string` with one char U+0000..U+00FF per **byte**; see `utf8ToBytes`, `bytesToUtf8` |
 * | int | `bigint` |
 * | float64 | `number` |
 * | every other integer kind | `GoInteger` |
 * | complex128 | `GoComplex` |
 * | []interface {} | plain array |
 * | other slices ([]string, []int, ...) | `TypedList` |
 * | []byte | `Uint8Array` |
 * | map[string]interface {} | plain `Map` with string keys |
 * | other maps (chartutil.Values, map[string]string, ...) | `TypedMap` |
 * | structs and pointers to them | `GoStruct` |
 * | a function as a value | `GoFunction`, only as a struct's method |
 *
 * Values read from YAML or JSON went through JSON in Helm 2, so all their numbers are float64: `number`.
 */
export type GoValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | GoInteger
  | GoComplex
  | GoList
  | Uint8Array
  | GoMap
  | GoStruct;

export type GoList = GoValue[];
export type GoMap = Map<string, GoValue>;

/** Every integer kind but `int`, which is a bigint. */
export type IntegerKind =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'uintptr';

export type Kind =
  | IntegerKind
  | 'invalid'
  | 'bool'
  | 'int'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr';

/** An integer that is not a Go `int`. `type` is set for named types such as time.Duration. */
export class GoInteger {
  readonly kind: IntegerKind;
  readonly value: bigint;
  readonly type: string;

  constructor(kind: IntegerKind, value: bigint, type: string = kind) {
    this.kind = kind;
    this.value = wrapInteger(kind, value);
    this.type = type;
  }
}

export class GoComplex {
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** A slice whose elements are not interface {}: `elementType` is Go's name of their type. */
export class TypedList extends Array<GoValue> {
  elementType = 'interface {}';

  /** What map, filter, slice and the like of an array make is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** A slice of `elementType` holding `items`, such as `typedList('string', ['a'])` for []string{"a"}. */
export function typedList(elementType: string, items: Iterable<GoValue>): TypedList {
  const list = new TypedList();
  for (const item of items) list.push(item);
  list.elementType = elementType;
  return list;
}

/** A map that is not map[string]interface {}: `type` is Go's name of its type, `elementType` that of its elements. */
export class TypedMap extends Map<string, GoValue> {
  readonly type: string;
  readonly elementType: string;
  /** The type's methods by name; absent for unnamed types. */
  readonly methods: ReadonlyMap<string, GoFunction> | undefined;

  constructor(
    type: string,
    elementType: string,
    entries: Iterable<readonly [string, GoValue]> = [],
    methods?: ReadonlyMap<string, GoFunction>,
  ) {
    super();
    this.type = type;
    this.elementType = elementType;
    this.methods = methods;
    for (const [key, value] of entries) this.set(key, value);
  }
}

/** A struct's field: its value and, where it differs from the value's own type, Go's name of the declared type. */
export interface GoField {
  readonly value: GoValue;
  readonly type?: string;
}

export interface GoStructOptions {
  /** Exported fields in the order of their declaration. */
  readonly fields?: Iterable<readonly [string, GoField]>;
  readonly methods?: Iterable<readonly [string, GoFunction]>;
  /** Its String() or Error() method, in the form fmt uses it. */
  readonly text?: () => string;
  /** What encoding/json makes of it (toYaml and toJson go by that). Default: its fields under their own names. */
  readonly json?: () => GoValue;
  /** Held for the functions that made it (a Date for time.Time, say). */
  readonly inner?: unknown;
}

/** A struct, or a pointer to one when `type` starts with `*`. */
export class GoStruct {
  readonly type: string;
  readonly fields: ReadonlyMap<string, GoField>;
  readonly methods: ReadonlyMap<string, GoFunction>;
  readonly text: (() => string) | undefined;
  readonly json: () => GoValue;
  readonly inner: unknown;

  constructor(type: string, options: GoStructOptions = {}) {
    this.type = type;
    this.fields = new Map(options.fields);
    this.methods = new Map(options.methods);
    this.text = options.text;
    this.json =
      options.json ?? (() => new Map(Array.from(this.fields, ([name, { value }]) => [name, value])));
    this.inner = options.inner;
  }
}

const bitsOf: Record<IntegerKind, number> = {
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  uintptr: 64,
};

/** `value` as an integer of `kind` holds it: arithmetic wraps around in Go. */
export function wrapInteger(kind: IntegerKind | 'int', value: bigint): bigint {
  if (kind === 'int') return BigInt.asIntN(64, value);
  return kind.startsWith('u') ? BigInt.asUintN(bitsOf[kind], value) : BigInt.asIntN(bitsOf[kind], value);
}

/** An `int64`, what most of Sprig's arithmetic returns. */
export function int64(value: bigint): GoInteger {
  return new GoInteger('int64', value);
}

/** Go's reflect.Kind of a value; `invalid` for nil. */
export function kindOf(value: GoValue): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
  }
  if (value === null) return 'invalid';
  if (value instanceof Map) return 'map';
  if (value instanceof GoInteger) return value.kind;
  if (value instanceof GoStruct) return value.type.startsWith('*') ? 'ptr' : 'struct';
  if (value instanceof GoComplex) return 'complex128';
  return 'slice';
}

/** Go's name of a value's type, as `%T` prints it; `<nil>` for nil. */
export function typeOf(value: GoValue): string {
  if (value === null) return '<nil>';
  if (typeof value !== 'object') return kindOf(value);
  if (value instanceof TypedMap || value instanceof GoStruct || value instanceof GoInteger) return value.type;
  if (value instanceof Map) return 'map[string]interface {}';
  if (value instanceof TypedList) return `[]${value.elementType}`;
  if (Array.isArray(value)) return '[]interface {}';
  return value instanceof GoComplex ? 'complex128' : '[]uint8';
}

/** The integer in a value of any integer kind, undefined for everything else. */
export function integerOf(value: GoValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof GoInteger ? value.value : undefined;
}

/** A map's keys in the order in which Go's templates and printing visit them. */
export function sortedKeys(map: GoMap): string[] {
  // Byte strings compare as Go compares them: by byte.
  return [...map.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Go's name of a parameter's type, which decides what the evaluator lets through and how it words a mismatch:
 * `interface {}` takes anything (nil too), `reflect.Value` is for the language's own functions alone (they tell nil in
 * an interface, `null`, from no value at all, `undefined`), and any other name takes values of exactly that type
 * (`map[string]interface {}` also takes chartutil.Values, as assignability does in Go). Constants in the template
 * adapt to numeric types: `5` given for `int64` arrives as an int64, for `float64` as a number.
 *
 * Tools for the library: `formatValue` in print.ts is `%v` (fmt.Sprint of one value), `sprintf` in printf.ts is
 * fmt.Sprintf, `isTrue` in truth.ts is the language's truth, `kindOf`/`typeOf` in value.ts are reflect's.
 *
 * A function therefore gets arguments of the declared types and need not check them again.
 */
export type GoType =
  | 'interface {}'
  | 'reflect.Value'
  | 'bool'
  | 'string'
  | 'int'
  | 'int64'
  | 'float64'
  | '[]interface {}'
  | '[]string'
  | '[]uint8'
  | 'map[string]interface {}'
  | 'map[string]string'
  | 'chartutil.Values'
  | 'time.Time'
  | (string & {});

/** What a function may ask of the rendering it runs in. */
export interface CallContext {
  /**
   * Counts work before it is done: call with the number of bytes or elements about to be made wherever that is not
   * bounded by the size of the arguments (repeat, until, indent, random text, ...).
   * @throws RenderLimitError when the rendering has used up its bound
   */
  charge(amount: number): void;
  /** The time `now` means; the same during one rendering. */
  readonly now: Date;
}

export interface GoFunction {
  /** Types of the parameters before the variadic one. */
  readonly params: readonly GoType[];
  /** The variadic parameter's element type, `interface {}` for `args ...interface{}`. */
  readonly variadic?: GoType;
  /** Go's name of the declared result type. Default: `interface {}`. */
  readonly result?: GoType;
  /**
   * Called with arguments whose number and types fit; variadic ones follow the others in the same array.
   * @throws GoError for an error that the Go function returns or a panic that it raises
   */
  readonly call: (args: GoValue[], context: CallContext) => GoValue;
}
