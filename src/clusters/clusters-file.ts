import { dirname, resolve } from 'node:path';
import type { MappingNode, Node } from 'js-yaml';
import { parseEndpoint } from '../kubernetes/index.ts';
import { GatewayError, invalidArgument } from '../protocol/index.ts';
import { readYamlTree, scalarOf, type YamlTree } from '../yaml/index.ts';
import { type ClusterEntry, namedUpstreams, validateClusterName } from './upstreams/upstream.ts';

/** Far more than a gateway can hold open, and a bound on what a file can make it do. */
const maxClusters = 1000;
const maxMistakes = 50;

/**
 * Reads a clusters file (docs/clusters.md has its schema). Paths in it are relative to its folder.
 * @throws GatewayError INVALID_ARGUMENT that lists every mistake with file and line, and shows no value that could be secret
 */
export function parseClustersFile(text: string, file: string): ClusterEntry[] {
  const reader = new FileReader(file, readYamlTree(text));
  const entries = reader.read();
  if (reader.mistakes.length > 0) throw invalidArgument(reader.mistakes.slice(0, maxMistakes).join('\n'));
  return entries;
}

class FileReader {
  readonly mistakes: string[] = [];
  readonly #file: string;
  readonly #tree: YamlTree;
  readonly #names = new Set<string>();

  constructor(file: string, tree: YamlTree) {
    this.#file = file;
    this.#tree = tree;
  }

  read(): ClusterEntry[] {
    const { root, problem } = this.#tree;
    if (problem) {
      this.mistakes.push(`${this.#file}:${problem.line}: this is not YAML: ${problem.message}`);
      return [];
    }
    if (root?.kind !== 'mapping') return this.#refuse(root, 'expected a mapping with the list `clusters`');
    this.#checkUnique(root);
    let list: Node | undefined;
    for (const { key, value } of root.items) {
      if (textOf(key) === 'clusters') list = value;
      else this.#mistake(key, `unknown field ${quoted(key)}: expected clusters`);
    }
    if (list?.kind !== 'sequence') return this.#refuse(list ?? root, '`clusters` is missing, or not a list');
    if (list.items.length > maxClusters) return this.#refuse(list, `more than ${maxClusters} clusters`);
    return list.items.flatMap(item => this.#readEntry(item) ?? []);
  }

  #readEntry(item: Node): ClusterEntry | undefined {
    const before = this.mistakes.length;
    const values = this.#readFields(item, clusterFields, 'a cluster');
    if (!values) return undefined;
    // what follows from a mistake is not one more
    if (this.mistakes.length > before) return undefined;
    const entry = values as unknown as ClusterEntry;
    const isTaken = this.#names.has(entry.name);
    this.#names.add(entry.name);
    const fault =
      entry.name === undefined
        ? 'a cluster without a name'
        : isTaken
          ? `a second cluster named ${entry.name}`
          : inconsistency(entry);
    if (fault === undefined) return entry;
    this.#mistake(item, fault);
    return undefined;
  }

  #readFields(item: Node, fields: Fields, what: string): Record<string, unknown> | undefined {
    if (item.kind !== 'mapping') {
      this.#mistake(item, `expected ${what} as a mapping`);
      return undefined;
    }
    this.#checkUnique(item);
    const values: Record<string, unknown> = {};
    for (const { key, value } of item.items) {
      const name = textOf(key) ?? '';
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (typeof read === 'function') values[name] = this.#readValue(name, value, read);
      else if (read) values[name] = this.#readFields(value, read, name);
      else this.#mistake(key, `unknown field ${quoted(key)}: expected ${Object.keys(fields).join(', ')}`);
    }
    return values;
  }

  #readValue(name: string, node: Node, read: FieldReader): unknown {
    try {
      const value = node.kind === 'scalar' ? scalarOf(node) : undefined;
      return read(value, path => resolve(dirname(this.#file), path));
    } catch (error) {
      this.#mistake(node, `${name}: ${GatewayError.from(error).message}`);
      return undefined;
    }
  }

  /** YAML itself lets the last of two equal keys win; here one of them is a mistake. */
  #checkUnique(map: MappingNode): void {
    const names = new Set<string | undefined>();
    for (const { key } of map.items) {
      const name = textOf(key);
      if (names.has(name)) this.#mistake(key, `the field ${quoted(key)} is given twice`);
      names.add(name);
    }
  }

  #refuse(node: Node | undefined, message: string): [] {
    this.#mistake(node, message);
    return [];
  }

  #mistake(node: Node | undefined, message: string): void {
    this.mistakes.push(`${this.#file}:${node ? this.#tree.lineOf(node) : 1}: ${message}`);
  }
}

function textOf(key: Node): string | undefined {
  return key.kind === 'scalar' ? key.value : undefined;
}

function quoted(key: Node): string {
  return JSON.stringify((textOf(key) ?? '?').slice(0, 40));
}

/**
 * Reads the value of a field.
 * @param absolute makes a path absolute
 * @throws GatewayError INVALID_ARGUMENT that says what was expected
 */
type FieldReader = (value: unknown, absolute: (path: string) => string) => unknown;

/** Readers by field; of a field that is a mapping itself, the readers of its fields. */
interface Fields {
  readonly [name: string]: FieldReader | Fields;
}

const tlsFields: Fields = {
  caFile: (value, absolute) => absolute(text(value)),
  certFile: (value, absolute) => absolute(text(value)),
  keyFile: (value, absolute) => absolute(text(value)),
  insecureSkipVerify: value => (typeof value === 'boolean' ? value : refuse('expected true or false')),
};

export const clusterFields: Fields = {
  name: value => validateClusterName(text(value)),
  upstream(value) {
    const upstream = namedUpstreams.find(known => known === value);
    return upstream ?? refuse(`expected ${namedUpstreams.join(', ')}, or nothing to have it chosen`);
  },
  kubeconfig: (value, absolute) => ({ file: absolute(text(value)) }),
  context: text,
  tillerNamespace: value => matching(value, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a namespace'),
  service: value =>
    matching(
      value,
      /^[a-z0-9-]{1,63}\/(https?:)?[a-z0-9-]{1,63}(:[a-z0-9-]{0,15})?$/,
      'NAMESPACE/NAME, NAMESPACE/NAME:PORT or NAMESPACE/https:NAME:PORT',
    ),
  endpoint(value) {
    const endpoint = text(value);
    parseEndpoint(endpoint);
    return endpoint;
  },
  tls: tlsFields,
};

const withDirect = 'with the upstream direct';
const withGateway = 'with the upstream gateway';
const withoutDirect = 'without the upstream direct';

/** The fields that have no use, by upstream; `tunnel` stands for none as well. */
const useless: Readonly<Record<string, Readonly<Partial<Record<keyof ClusterEntry, string>>>>> = {
  direct: { kubeconfig: withDirect, context: withDirect, tillerNamespace: withDirect, service: withDirect },
  gateway: { endpoint: withoutDirect, tillerNamespace: withGateway, tls: withGateway },
  tunnel: { endpoint: withoutDirect, service: 'without the upstream gateway' },
};

/** What of an entry does not fit together, in words. */
function inconsistency(entry: ClusterEntry): string | undefined {
  const { upstream = 'tunnel', endpoint, tls } = entry;
  if (upstream === 'direct' && endpoint === undefined) return 'the upstream direct needs an endpoint';
  if (upstream !== 'direct' && tls && Boolean(tls.certFile) !== Boolean(tls.keyFile))
    return 'certFile and keyFile belong together';
  const fields = Object.entries(useless[upstream] ?? {});
  const given = fields.find(([name]) => entry[name as keyof ClusterEntry] !== undefined);
  return given && `${given[0]} has no use ${given[1]}`;
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : refuse('expected a text');
}

function matching(value: unknown, pattern: RegExp, expected: string): string {
  return pattern.test(text(value)) ? text(value) : refuse(`expected ${expected}`);
}

function refuse(message: string): never {
  throw invalidArgument(message);
}
