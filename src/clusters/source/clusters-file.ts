import { dirname, resolve } from 'node:path';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import type { ClusterEntry } from '../entry/cluster-entry.ts';
import { clusterFields, type FieldReader, inconsistency, tlsFields } from './entry-fields.ts';

/** Far more than a gateway can hold open, and a bound on what a file can make it do. */
const maxClusters = 1000;
const maxMistakes = 50;

/**
 * Reads a clusters file (docs/clusters.md has its schema). Paths in it are relative to its folder.
 * @throws GatewayError INVALID_ARGUMENT that lists every mistake with file and line, and shows no value that could be secret
 */
export function parseClustersFile(text: string, file: string): ClusterEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const reader = new FileReader(file, lines);
  const entries = reader.read(document);
  if (reader.mistakes.length > 0) throw invalidArgument(reader.mistakes.slice(0, maxMistakes).join('\n'));
  return entries;
}

class FileReader {
  readonly mistakes: string[] = [];
  private readonly file: string;
  private readonly lines: LineCounter;
  private readonly names = new Set<string>();

  constructor(file: string, lines: LineCounter) {
    this.file = file;
    this.lines = lines;
  }

  read(document: Document.Parsed): ClusterEntry[] {
    for (const { pos, code } of document.errors) this.mistake(pos[0], `this is not YAML (${code})`);
    if (document.errors.length > 0) return [];
    const root = document.contents;
    if (!isMap(root)) return this.refuse(root, 'expected a mapping with the list `clusters`');
    for (const { key } of root.items) {
      if (textOf(key) !== 'clusters')
        this.mistake(offsetOf(key), `unknown field ${quoted(key)}: expected clusters`);
    }
    const list = root.get('clusters', true) as unknown as Node | undefined;
    if (!isSeq(list)) return this.refuse(list ?? root, '`clusters` is missing, or not a list');
    if (list.items.length > maxClusters) return this.refuse(list, `more than ${maxClusters} clusters`);
    return list.items.flatMap(item => this.readEntry(item) ?? []);
  }

  private readEntry(item: unknown): ClusterEntry | undefined {
    const before = this.mistakes.length;
    const values = this.readFields(item, clusterFields, 'a cluster');
    if (!values) return undefined;
    // what follows from a mistake is not one more
    if (this.mistakes.length > before) return undefined;
    const entry = values as unknown as ClusterEntry;
    const isTaken = this.names.has(entry.name);
    this.names.add(entry.name);
    const fault =
      entry.name === undefined
        ? 'a cluster without a name'
        : isTaken
          ? `a second cluster named ${entry.name}`
          : inconsistency(entry);
    if (fault === undefined) return entry;
    this.mistake(offsetOf(item), fault);
    return undefined;
  }

  private readFields(
    item: unknown,
    fields: Readonly<Record<string, FieldReader>>,
    what: string,
  ): Record<string, unknown> | undefined {
    if (!isMap(item)) {
      this.mistake(offsetOf(item), `expected ${what} as a mapping`);
      return undefined;
    }
    const values: Record<string, unknown> = {};
    for (const { key, value } of item.items) {
      const name = textOf(key) ?? '';
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (name === 'tls' && what === 'a cluster') values.tls = this.readTls(value);
      else if (!read) {
        const known = [...Object.keys(fields), ...(what === 'a cluster' ? ['tls'] : [])].join(', ');
        this.mistake(offsetOf(key), `unknown field ${quoted(key)}: expected ${known}`);
      } else values[name] = this.readValue(name, value, read);
    }
    return values;
  }

  private readTls(value: unknown): unknown {
    const values = this.readFields(value, tlsFields, 'tls');
    return values && { insecureSkipVerify: false, ...values };
  }

  private readValue(name: string, node: unknown, read: FieldReader): unknown {
    const value = isScalar(node) ? node.value : undefined;
    try {
      return read(value, path => resolve(dirname(this.file), path));
    } catch (error) {
      this.mistake(offsetOf(node), `${name}: ${GatewayError.from(error).message}`);
      return undefined;
    }
  }

  private refuse(node: unknown, message: string): [] {
    this.mistake(offsetOf(node), message);
    return [];
  }

  private mistake(offset: number, message: string): void {
    this.mistakes.push(`${this.file}:${this.lines.linePos(offset).line}: ${message}`);
  }
}

function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

function textOf(key: unknown): string | undefined {
  return isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
}

function quoted(key: unknown): string {
  return JSON.stringify((textOf(key) ?? '?').slice(0, 40));
}
