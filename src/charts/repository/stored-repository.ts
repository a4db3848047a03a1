import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';
import { goJson, type YamlMap, type YamlValue } from '../../yaml/index.ts';
import type { Credentials } from '../chart/chart-options.ts';
import { decodeUtf8, readBoolean, readFields, readYamlMap, textFields } from '../chart/chart-yaml.ts';
import { parseSourceUrl, resolveAccess, type SourceUrl } from '../download/source.ts';
import { uploadsName } from './repository.ts';

/** A repository that was added by API. */
export interface StoredRepository {
  readonly name: string;
  readonly url: string;
  readonly credentials: Credentials;
}

const maxNameChars = 100;
const maxUrlChars = 2048;
const maxSecretChars = 8192;
const maxPemBytes = 64 * 1024;

/** For those of the configuration as well. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const secrets = ['username', 'password', 'token'] as const;
const certificates = ['caBundle', 'clientCertificate', 'clientKey'] as const;
const known: ReadonlySet<string> = new Set([
  'name',
  'url',
  ...secrets,
  ...certificates,
  'insecureSkipVerify',
]);

/**
 * Checks all that can be known of a repository without asking for it.
 * @returns its URL, read
 * @throws GatewayError INVALID_ARGUMENT, which repeats nothing of what may be secret
 */
export function checkRepository({ name, url, credentials }: StoredRepository): SourceUrl {
  if (!namePattern.test(name) || name.length > maxNameChars) {
    throw invalidArgument(
      `name must be letters, digits, '.', '_' and '-', begin with a letter or digit, and have at most ${maxNameChars} characters`,
    );
  }
  if (name === uploadsName) throw invalidArgument(`no chart repository may be called ${name}`);
  if (url.length > maxUrlChars) throw invalidArgument(`url is longer than ${maxUrlChars} characters`);
  const source = parseSourceUrl(url);
  if (source.userInfo !== undefined) {
    throw invalidArgument('url has user info: give username and password as fields of their own');
  }
  for (const field of secrets) {
    if ((credentials[field]?.length ?? 0) > maxSecretChars) {
      throw invalidArgument(`${field} is longer than ${maxSecretChars} characters`);
    }
  }
  for (const field of certificates) {
    const pem = credentials[field];
    if (pem && pem.length > maxPemBytes)
      throw invalidArgument(`${field} is larger than ${maxPemBytes} bytes`);
    if (pem && decodeUtf8(pem) === undefined) throw invalidArgument(`${field} is not UTF-8`);
  }
  resolveAccess(source, credentials);
  return source;
}

/** Credentials without what is empty, in one order, so that equal ones are written alike. */
export function onlyGiven(credentials: Credentials): Credentials {
  const names = [...secrets, ...certificates, 'insecureSkipVerify'] as const;
  const given = names.map(name => [name, credentials[name]] as const);
  return Object.fromEntries(
    given.filter(([, value]) => (value instanceof Uint8Array ? value.length > 0 : Boolean(value))),
  );
}

/** Whether nothing of them is given. */
export function isEmpty(credentials: Credentials): boolean {
  return Object.keys(onlyGiven(credentials)).length === 0;
}

/** A repository as it stands in the file. */
export function repositoryToYaml({ name, url, credentials }: StoredRepository): YamlMap {
  const values = Object.entries(onlyGiven(credentials)).map(([field, value]): [string, YamlValue] => [
    field,
    value instanceof Uint8Array ? Buffer.from(value).toString() : (value as string | boolean),
  ]);
  return new Map<string, YamlValue>([['name', name], ['url', url], ...values]);
}

/** @throws GatewayError INVALID_ARGUMENT for what it cannot be; it repeats nothing that may be secret */
export function yamlToRepository(entry: YamlValue): StoredRepository {
  if (!(entry instanceof Map)) throw invalidArgument('expected a repository as a map');
  for (const [name, value] of entry) {
    if (!known.has(name)) throw invalidArgument(`a repository has only the fields ${[...known].join(', ')}`);
    const [type, words] = name === 'insecureSkipVerify' ? ['boolean', 'true or false'] : ['string', 'text'];
    if (typeof value !== type) throw invalidArgument(`${name} must be ${words}`);
  }
  const isPem = (name: string) => certificates.some(certificate => certificate === name);
  const read = [...entry].map(([name, value]) => [name, isPem(name) ? Buffer.from(value as string) : value]);
  const { name = '', url = '', ...credentials } = Object.fromEntries(read);
  const repository = { name, url, credentials: onlyGiven(credentials) };
  checkRepository(repository);
  return repository;
}

/** Equal for equal repositories, and nothing can be read from it. */
function digestOf(repository: StoredRepository): Buffer {
  return createHash('sha256')
    .update(goJson(repositoryToYaml(repository)))
    .digest();
}

/** Takes as long for what is nearly equal as for what is not: an answer tells nobody how much of a password was right. */
export function isSame(a: StoredRepository, b: StoredRepository): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

/** An entry of the credentials file; paths are from the file's folder on. */
const fileFields = {
  ...textFields('username', 'password', 'token', 'caFile', 'clientCertificateFile', 'clientKeyFile'),
  insecureSkipVerify: readBoolean,
};

/**
 * Reads one entry of the credentials file, a YAML map by repositories' names, and by `oci://HOST` for registries. It is read
 * at every use, so that changed secrets are taken up.
 * @throws GatewayError FAILED_PRECONDITION, without details for the caller, when a file cannot be read
 */
export async function readConfiguredCredentials(
  file: string | undefined,
  name: string,
): Promise<Credentials> {
  if (file === undefined) return {};
  try {
    const entry = readYamlMap(await readFile(file), file).get(name);
    if (entry === undefined) return {};
    const read = readFields(entry, fileFields, `${file}: ${name}`);
    const { caFile, clientCertificateFile, clientKeyFile, ...inline } = read;
    const content = async (path: string | undefined) =>
      path === undefined ? undefined : readFile(resolve(dirname(file), path));
    return {
      ...inline,
      caBundle: await content(caFile),
      clientCertificate: await content(clientCertificateFile),
      clientKey: await content(clientKeyFile),
    };
  } catch (cause) {
    const message = `the gateway cannot read its credentials for the chart repository ${name}`;
    throw new GatewayError(Code.FAILED_PRECONDITION, message, { cause });
  }
}
