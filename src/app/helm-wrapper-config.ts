import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { ChartOptions } from '../charts/index.ts';
import { GatewayError, invalidArgument, reasonOf } from '../protocol/index.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../yaml/index.ts';

/* helm-wrapper's configuration file: where uploads are kept, repositories, and registries. */

type Repository = Exclude<ChartOptions['repositories'][number], string>;
type Credentials = NonNullable<Repository['credentials']>;

export interface HelmWrapperConfig {
  /** Undefined where the file names none: `/tmp/charts` for helm-wrapper. */
  readonly uploadPath: string | undefined;
  readonly repositories: readonly Repository[];
  readonly registries: NonNullable<ChartOptions['registries']>;
  /** What the file says without effect here, one sentence each. */
  readonly warnings: readonly string[];
}

const maxFileBytes = 1024 * 1024;

/**
 * Reads the file. Names of fields match in any case, as Go reads them.
 * @throws GatewayError INVALID_ARGUMENT with the field that cannot be right
 */
export function readHelmWrapperConfig(file: string): HelmWrapperConfig {
  return parseHelmWrapperConfig(file, readText(file, file));
}

export function parseHelmWrapperConfig(file: string, text: string): HelmWrapperConfig {
  const warnings: string[] = [];
  const fields = new Fields(file, parse(file, text), warnings);
  const uploadPath = fields.text('uploadPath') || undefined;
  if (uploadPath !== undefined && !isAbsolute(uploadPath))
    throw invalidArgument(`${file}: uploadPath: charts upload path is not absolute`);
  const repositories = fields.list('helmRepos').map(readRepository);
  const registries = fields.list('helmRegistries').map(entry => {
    const { url, credentials } = readRepository(entry);
    const host = /^oci:\/\/([^/]+)/.exec(url)?.[1];
    if (host === undefined) throw invalidArgument(`${entry.where}.url: expected oci://HOST`);
    return { host, credentials };
  });
  fields.end();
  return { uploadPath, repositories, registries, warnings };
}

function parse(file: string, text: string): YamlValue {
  try {
    return parseYaml(text, { maxNodes: 100_000 });
  } catch (error) {
    throw invalidArgument(`${file}: ${GatewayError.from(error).message}`, { cause: error });
  }
}

function readText(path: string, where: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length <= maxFileBytes) return text;
  } catch (cause) {
    throw invalidArgument(`${where}: ${reasonOf(cause)}`, { cause });
  }
  throw invalidArgument(`${where}: larger than ${maxFileBytes} bytes`);
}

function readRepository(entry: Fields): { name: string; url: string; credentials: Credentials } {
  const certificate = (name: string) => {
    const path = entry.text(name);
    return path === '' ? undefined : Buffer.from(readText(path, `${entry.where}.${name}`));
  };
  const credentials = {
    username: entry.text('username'),
    password: entry.text('password'),
    caBundle: certificate('caFile'),
    clientCertificate: certificate('certFile'),
    clientKey: certificate('keyFile'),
    insecureSkipVerify: entry.flag('insecure_skip_tls_verify'),
  };
  const [name, url] = [entry.text('name'), entry.text('url')];
  if (entry.flag('pass_credentials_all'))
    entry.warn('pass_credentials_all', 'credentials go to the host of the repository alone');
  entry.end();
  return { name, url, credentials };
}

/** The fields of one map, by their names in any case; those that were not asked for are warned of. */
class Fields {
  readonly where: string;
  readonly #map: YamlMap;
  readonly #warnings: string[];
  readonly #known = new Set<string>();

  constructor(where: string, value: YamlValue, warnings: string[]) {
    this.where = where;
    if (value !== null && !(value instanceof Map)) throw invalidArgument(`${where}: expected a map`);
    this.#map = value ?? new Map();
    this.#warnings = warnings;
  }

  text(name: string): string {
    const value = this.#take(name) ?? '';
    if (typeof value === 'string') return value;
    throw invalidArgument(`${this.where}.${name}: expected a text`);
  }

  flag(name: string): boolean {
    const value = this.#take(name) ?? false;
    if (typeof value === 'boolean') return value;
    throw invalidArgument(`${this.where}.${name}: expected true or false`);
  }

  list(name: string): Fields[] {
    const value = this.#take(name) ?? [];
    if (!Array.isArray(value)) throw invalidArgument(`${this.where}: ${name}: expected a list`);
    return value.map((item, index) => new Fields(`${this.where}: ${name}[${index}]`, item, this.#warnings));
  }

  warn(name: string, why: string): void {
    this.#warnings.push(`${this.where}.${name}: no effect: ${why}`);
  }

  end(): void {
    for (const name of this.#map.keys())
      if (!this.#known.has(name)) this.#warnings.push(`${this.where}: unknown field ${JSON.stringify(name)}`);
  }

  #take(name: string): YamlValue | undefined {
    const key = [...this.#map.keys()].find(one => one.toLowerCase() === name.toLowerCase());
    if (key === undefined) return undefined;
    this.#known.add(key);
    return this.#map.get(key);
  }
}

/** Where helm-wrapper keeps uploads unless it is told. */
const defaultUploadPath = '/tmp/charts';

/**
 * The chart options with what the file adds. The folder that stands for none is in a place where everybody may write: it is
 * used only where it belongs to this user alone.
 * @param warn takes what has no effect
 */
export function withHelmWrapper(
  options: ChartOptions,
  config: HelmWrapperConfig,
  warn: (message: string) => void,
  folder = defaultUploadPath,
): ChartOptions {
  for (const warning of config.warnings) warn(warning);
  let uploadDir = options.uploadDir ?? config.uploadPath;
  if (options.uploadDir !== undefined && config.uploadPath !== undefined)
    warn(`uploadPath: no effect: --chart-upload-dir is ${options.uploadDir}`);
  if (uploadDir === undefined) {
    if (isPrivate(folder)) uploadDir = folder;
    else warn(`${folder} is not this user's alone: set uploadPath to keep uploads`);
  }
  return {
    ...options,
    uploadDir,
    repositories: [...options.repositories, ...config.repositories],
    registries: [...(options.registries ?? []), ...config.registries],
  };
}

function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const entry = lstatSync(folder); // a link is none
    return entry.isDirectory() && entry.uid === process.getuid?.() && (entry.mode & 0o022) === 0;
  } catch {
    return false;
  }
}
