import type { ErrorObject } from 'ajv';

const maxLineLength = 400;

/**
 * A line about one value that does not fit: its path and what was expected, in the words of Helm up to 3.17
 * (github.com/xeipuuv/gojsonschema 1.2). The value itself is not shown, it may be a secret.
 */
export function describeError(error: ErrorObject): string {
  const path = error.instancePath
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
  const field = path === '' ? '(root)' : path;
  // names and patterns are a stranger's: none makes a line of its own
  return `${field}: ${expectation(error, field)}`.replace(controls, ' ').slice(0, maxLineLength);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what could end a line
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function expectation({ keyword, params, data }: ErrorObject, field: string): string {
  switch (keyword) {
    case 'type':
      return `Invalid type. Expected: ${typesOf(params.type)}, given: ${typeOf(data)}`;
    case 'required':
      return `${params.missingProperty} is required`;
    case 'additionalProperties':
      return `Additional property ${params.additionalProperty} is not allowed`;
    case 'unevaluatedProperties':
      return `Additional property ${params.unevaluatedProperty} is not allowed`;
    case 'additionalItems':
    case 'items':
    case 'unevaluatedItems':
      return 'No additional items allowed on array';
    case 'enum':
      return `${field} must be one of the following: ${params.allowedValues.map(shown).join(', ')}`;
    case 'const':
      return `${field} does not match: ${shown(params.allowedValue)}`;
    case 'pattern':
      return `Does not match pattern '${params.pattern}'`;
    case 'format':
      return `Does not match format '${params.format}'`;
    case 'minLength':
      return `String length must be greater than or equal to ${params.limit}`;
    case 'maxLength':
      return `String length must be less than or equal to ${params.limit}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `Must be ${comparisons[params.comparison] ?? params.comparison} ${params.limit}`;
    case 'multipleOf':
      return `Must be a multiple of ${params.multipleOf}`;
    case 'minItems':
      return `Array must have at least ${params.limit} items`;
    case 'maxItems':
      return `Array must have at most ${params.limit} items`;
    case 'uniqueItems':
      return `array items[${params.j},${params.i}] must be unique`;
    case 'contains':
      return 'At least one of the items must match';
    case 'minProperties':
      return `Must have at least ${params.limit} properties`;
    case 'maxProperties':
      return `Must have at most ${params.limit} properties`;
    case 'propertyNames':
      return `Property name of "${params.propertyName}" does not match`;
    case 'dependencies':
    case 'dependentRequired':
      return `Has a dependency on ${params.missingProperty}`;
    case 'if':
      return params.failingKeyword === 'then'
        ? 'Must validate "then" as "if" was valid'
        : 'Must validate "else" as "if" was not valid';
    case 'false schema':
      return 'False always fails validation';
    default:
      return groups[keyword] ?? `Does not meet ${keyword}`;
  }
}

const groups: Readonly<Record<string, string>> = {
  anyOf: 'Must validate at least one schema (anyOf)',
  oneOf: 'Must validate one and only one schema (oneOf)',
  allOf: 'Must validate all the schemas (allOf)',
  not: 'Must not validate the schema (not)',
};

const comparisons: Readonly<Record<string, string>> = {
  '>=': 'greater than or equal to',
  '>': 'greater than',
  '<=': 'less than or equal to',
  '<': 'less than',
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
