import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';
import { type FieldReader, readBoolean, readFields, readText } from '../chart/chart-fields.ts';
import { readText as readFileText, readYamlMap } from '../chart/chart-text.ts';
import type { Credentials } from '../download/credentials.ts';

const fields: Record<string, FieldReader> = {
  username: readText,
  password: readText,
  token: readText,
  caFile: readText,
  clientCertificateFile: readText,
  clientKeyFile: readText,
  insecureSkipVerify: readBoolean,
};

interface Entry {
  username?: string;
  password?: string;
  token?: string;
  caFile?: string;
  clientCertificateFile?: string;
  clientKeyFile?: string;
  insecureSkipVerify?: boolean;
}

/**
 * Reads the credentials of one repository from a YAML file: a map from the repository's name to `username`, `password`, `token`,
 * `caFile`, `clientCertificateFile`, `clientKeyFile` (paths, from the file's folder on) and `insecureSkipVerify`.
 * @throws GatewayError FAILED_PRECONDITION, without details for the caller, when a file cannot be read
 */
export async function readRepositoryCredentials(file: string, repository: string): Promise<Credentials> {
  try {
    const entry = readYamlMap(readFileText(await readFile(file), file), file).get(repository);
    if (entry === undefined) return {};
    if (!(entry instanceof Map)) throw invalidArgument(`${file}: ${repository} must be a map`);
    return await toCredentials(readFields(entry, fields, file), dirname(file));
  } catch (cause) {
    throw new GatewayError(
      Code.FAILED_PRECONDITION,
      `the gateway cannot read its credentials for the chart repository ${repository}`,
      { cause },
    );
  }
}

async function toCredentials(entry: Entry, folder: string): Promise<Credentials> {
  const read = (path: string | undefined) =>
    path === undefined ? undefined : readFile(resolve(folder, path));
  const { username, password, token, insecureSkipVerify } = entry;
  return {
    username,
    password,
    token,
    insecureSkipVerify,
    caBundle: await read(entry.caFile),
    clientCertificate: await read(entry.clientCertificateFile),
    clientKey: await read(entry.clientKeyFile),
  };
}
