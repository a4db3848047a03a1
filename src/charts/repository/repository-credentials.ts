import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Code, GatewayError } from '../../protocol/index.ts';
import { readBoolean, readFields, readText, readYamlMap } from '../chart/chart-yaml.ts';
import type { Credentials } from '../download/source.ts';

/** An entry of the credentials file; paths are from the file's folder on. */
const fields = {
  username: readText,
  password: readText,
  token: readText,
  caFile: readText,
  clientCertificateFile: readText,
  clientKeyFile: readText,
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
    const read = readFields(entry, fields, `${file}: ${name}`);
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
    throw new GatewayError(
      Code.FAILED_PRECONDITION,
      `the gateway cannot read its credentials for the chart repository ${name}`,
      { cause },
    );
  }
}
