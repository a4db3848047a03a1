import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
}

type Models = Readonly<Record<string, { attributeTypeMap?: readonly Attribute[] } | undefined>>;

const load = createRequire(import.meta.url);
const modelFolder = join(dirname(load.resolve('@kubernetes/client-node')), 'gen', 'models');

/** Each model is loaded by itself: all of them, with the client, take longer than the checks. */
function attributesOf(model: string): readonly Attribute[] | undefined {
  const file = join(modelFolder, `${model}.js`);
  return existsSync(file) ? (load(file) as Models)[model]?.attributeTypeMap : undefined;
}

/**
 * Checks an object against Kubernetes' own OpenAPI description, by the models that @kubernetes/client-node
 * generates from it: unknown fields, missing required ones, and wrong types.
 * @returns the faults, each with the path of the field
 */
export function schemaFaults(object: Record<string, unknown>): string[] {
  const kind = String(object.kind);
  return checkModel(object, `V1${kind}`, kind);
}

function checkModel(value: unknown, model: string, path: string): string[] {
  const attributes = attributesOf(model);
  if (!attributes) return [`${path}: there is no type ${model}`];
  if (!isMapping(value)) return [`${path}: expected a mapping`];
  const known = new Map(attributes.map(attribute => [attribute.baseName, attribute]));
  const unknown = Object.keys(value).filter(key => !known.has(key));
  const missing = requiredOf(model).filter(key => value[key] === undefined);
  return [
    ...unknown.map(key => `${path}.${key}: unknown field`),
    ...missing.map(key => `${path}.${key}: missing`),
    ...Object.entries(value).flatMap(([key, child]) => {
      const type = known.get(key)?.type;
      return type ? checkType(child, type, `${path}.${key}`) : [];
    }),
  ];
}

function checkType(value: unknown, type: string, path: string): string[] {
  const item = /^Array<(.*)>$/.exec(type)?.[1];
  if (item) {
    if (!Array.isArray(value)) return [`${path}: expected a list`];
    return value.flatMap((child, index) => checkType(child, item, `${path}[${index}]`));
  }
  const entry = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (entry) {
    if (!isMapping(value)) return [`${path}: expected a mapping`];
    return Object.entries(value).flatMap(([key, child]) => checkType(child, entry, `${path}.${key}`));
  }
  if (type === 'any') return [];
  if (type === 'IntOrString')
    return ['number', 'string'].includes(typeof value) ? [] : [`${path}: expected ${type}`];
  if (type === 'Date') return typeof value === 'string' ? [] : [`${path}: expected a time`];
  if (['string', 'number', 'boolean'].includes(type)) {
    return typeof value === type ? [] : [`${path}: expected a ${type}, got ${JSON.stringify(value)}`];
  }
  return checkModel(value, type, path);
}

/** Only the declarations of the models tell which fields must be there: those without a question mark. */
function requiredOf(model: string): string[] {
  const text = readFileSync(join(modelFolder, `${model}.d.ts`), 'utf8');
  return [...text.matchAll(/^ {4}'(\w+)': /gm)].map(match => match[1] ?? '');
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
