import type { Ajv as AjvClass, AnySchemaObject, ErrorObject, Options } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import draft6 from 'ajv/dist/refs/json-schema-draft-06.json' with { type: 'json' };
import { default as ajvDraft4 } from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import { invalidArgument } from '../../protocol/index.ts';
import { type SchemaCheck, schemaFile } from './schema-checks.ts';

/** Lines of what is wrong; whoever mends those sees the next. */
const maxLines = 50;

/**
 * Checks values against the schemas of charts. Schemas come from strangers: this runs in a thread that can be ended.
 * @throws GatewayError INVALID_ARGUMENT with reason CHART_INVALID that names, as Helm 3 does, each chart, the path of each
 * value that does not fit, and what was expected; or for a schema that cannot be used
 */
export function checkSchemas(checks: readonly SchemaCheck[]): void {
  const lines: string[] = [];
  let count = 0;
  for (const { chart, schema, values } of checks) {
    const errors = check(chart, schema, values);
    if (errors.length === 0) continue;
    lines.push(`${chart}:`);
    for (const error of errors) if (count++ < maxLines) lines.push(`- ${describeError(error)}`);
  }
  if (count > maxLines) lines.push(`- and ${count - maxLines} more`);
  if (count === 0) return;
  const head = "values don't meet the specifications of the schema(s) in the following chart(s):";
  throw invalidArgument([head, ...lines].join('\n'), { reason: 'CHART_INVALID' });
}

function check(chart: string, bytes: Uint8Array, values: string): readonly ErrorObject[] {
  const unusable = (what: string, cause?: unknown) => {
    const message = `${schemaFile} of chart ${chart} cannot be used: ${what}`;
    return invalidArgument(message, { reason: 'CHART_INVALID', cause });
  };
  try {
    const schema = readSchema(bytes);
    const validate = ajvFor(schema).compile(schema);
    return validate(JSON.parse(values)) ? [] : (validate.errors ?? []);
  } catch (cause) {
    if (cause instanceof SchemaProblem) throw unusable(cause.message);
    if (cause instanceof Ajv.MissingRefError) throw unusable(missing(cause.missingRef), cause);
    if (cause instanceof RangeError) throw unusable('it nests or refers to itself too deeply', cause);
    throw unusable((cause as Error).message.slice(0, 300), cause);
  }
}

class SchemaProblem extends Error {}

function missing(reference: string): string {
  const shown = JSON.stringify(reference.slice(0, 200));
  return reference.startsWith('#')
    ? `the reference ${shown} leads nowhere`
    : `it refers to ${shown}, and references to other documents are not followed`;
}

function readSchema(bytes: Uint8Array): AnySchemaObject {
  let schema: unknown;
  try {
    schema = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new SchemaProblem(`it is not JSON: ${(cause as Error).message.slice(0, 100)}`);
  }
  if (typeof schema === 'boolean') return schema ? {} : { not: {} };
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema;
  throw new SchemaProblem('it has to be an object');
}

/** Linear in the text, whatever the pattern; it is also what Helm reads patterns by. */
const regExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: '' },
);

const options: Options = {
  strict: false,
  allErrors: true,
  verbose: true,
  messages: false,
  ownProperties: true,
  logger: false,
  code: { regExp },
  validateSchema: false, // by a checker, before
};

/** The formats that Helm's own library knows; others are not looked at. */
const formats = [
  ...(['date', 'time', 'date-time', 'hostname', 'email', 'ipv4', 'ipv6', 'uri', 'uri-reference'] as const),
  ...(['uri-template', 'uuid', 'json-pointer', 'relative-json-pointer'] as const),
];

/** Makes an Ajv for schemas of a draft. */
type Draft = () => AjvClass;

const draft4 = () => new ajvDraft4.default({ ...options, schemaId: 'id' }) as unknown as AjvClass;
const draft7 = () => new Ajv(options);
const drafts: Readonly<Record<string, Draft>> = {
  'draft-04/schema': draft4,
  'draft-06/schema': () =>
    new Ajv({ ...options, meta: false, defaultMeta: draft6.$id }).addMetaSchema(draft6),
  'draft-07/schema': draft7,
  'draft/2019-09/schema': () => new Ajv2019(options) as unknown as AjvClass,
  'draft/2020-12/schema': () => new Ajv2020(options) as unknown as AjvClass,
};

/**
 * One of its own for each schema, so that none changes what another means. A schema that names no draft, or one that is not
 * known, is read as draft 7, or as draft 4 where it is one of those alone.
 * @throws SchemaProblem that says what makes it no schema of its draft
 */
function ajvFor(schema: AnySchemaObject): AjvClass {
  const { $schema: named } = schema;
  delete schema.$schema;
  const draft =
    typeof named === 'string' ? /^https?:\/\/json-schema\.org\/(.+?)#?$/.exec(named)?.[1] : undefined;
  const known = draft === undefined ? undefined : drafts[draft];
  let wrong: string | undefined;
  for (const create of known ? [known] : [draft7, draft4]) {
    const checker = checkers.get(create) ?? configured(create);
    checkers.set(create, checker);
    if (checker.validateSchema(schema) === true) return configured(create);
    const [error] = checker.errors ?? [];
    wrong ??= error ? describeError(error) : 'its keywords do not fit';
  }
  throw new SchemaProblem(`it is no JSON schema: ${wrong}`);
}

/** One for each draft that checks schemas by its meta-schema, which takes long to compile, and compiles nothing else. */
const checkers = new Map<Draft, AjvClass>();

function configured(create: Draft): AjvClass {
  const ajv = create();
  addFormats.default(ajv as never, { formats, keywords: false });
  ajv.addFormat('regex', { validate: isPattern });
  // in later drafts it means nothing, which charts of that time do not know
  if (create !== draft4) ajv.removeKeyword('id');
  return ajv;
}

function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

const maxLineLength = 400;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what could end a line
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * A line about one value that does not fit: its path and what was expected, in the words of Helm up to 3.17
 * (github.com/xeipuuv/gojsonschema 1.2). The value itself is not shown, it may be a secret.
 */
function describeError({ instancePath, keyword, params, data }: ErrorObject): string {
  const path = instancePath
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
  const field = path === '' ? '(root)' : path;
  const expected = expectations[keyword]?.(params, data, field) ?? `Does not meet ${keyword}`;
  // names and patterns are a stranger's: none makes a line of its own
  return `${field}: ${expected}`.replace(controls, ' ').slice(0, maxLineLength);
}

type Expectation = (params: ErrorObject['params'], data: unknown, field: string) => string;

const unknownProperty: Expectation = ({ additionalProperty, unevaluatedProperty }) =>
  `Additional property ${additionalProperty ?? unevaluatedProperty} is not allowed`;
const noMoreItems: Expectation = () => 'No additional items allowed on array';
const missingProperty: Expectation = p => `Has a dependency on ${p.missingProperty}`;
const comparisons: Readonly<Record<string, string>> = {
  '>=': 'greater than or equal to',
  '>': 'greater than',
  '<=': 'less than or equal to',
  '<': 'less than',
};
const comparison: Expectation = p => `Must be ${comparisons[p.comparison] ?? p.comparison} ${p.limit}`;

/** What was expected, by the keyword of the schema. */
const expectations: Readonly<Record<string, Expectation>> = {
  type: (p, data) => `Invalid type. Expected: ${typesOf(p.type)}, given: ${typeOf(data)}`,
  required: p => `${p.missingProperty} is required`,
  additionalProperties: unknownProperty,
  unevaluatedProperties: unknownProperty,
  additionalItems: noMoreItems,
  items: noMoreItems,
  unevaluatedItems: noMoreItems,
  enum: (p, _, field) => `${field} must be one of the following: ${p.allowedValues.map(shown).join(', ')}`,
  const: (p, _, field) => `${field} does not match: ${shown(p.allowedValue)}`,
  pattern: p => `Does not match pattern '${p.pattern}'`,
  format: p => `Does not match format '${p.format}'`,
  minLength: p => `String length must be greater than or equal to ${p.limit}`,
  maxLength: p => `String length must be less than or equal to ${p.limit}`,
  minimum: comparison,
  maximum: comparison,
  exclusiveMinimum: comparison,
  exclusiveMaximum: comparison,
  multipleOf: p => `Must be a multiple of ${p.multipleOf}`,
  minItems: p => `Array must have at least ${p.limit} items`,
  maxItems: p => `Array must have at most ${p.limit} items`,
  uniqueItems: p => `array items[${p.j},${p.i}] must be unique`,
  contains: () => 'At least one of the items must match',
  minProperties: p => `Must have at least ${p.limit} properties`,
  maxProperties: p => `Must have at most ${p.limit} properties`,
  propertyNames: p => `Property name of "${p.propertyName}" does not match`,
  dependencies: missingProperty,
  dependentRequired: missingProperty,
  if: ({ failingKeyword: then }) =>
    then === 'then' ? 'Must validate "then" as "if" was valid' : 'Must validate "else" as "if" was not valid',
  'false schema': () => 'False always fails validation',
  anyOf: () => 'Must validate at least one schema (anyOf)',
  oneOf: () => 'Must validate one and only one schema (oneOf)',
  allOf: () => 'Must validate all the schemas (allOf)',
  not: () => 'Must not validate the schema (not)',
};

function typesOf(types: unknown): string {
  return Array.isArray(types) ? `[${types.join(',')}]` : String(types);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** What a schema allows. */
function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 100);
}
