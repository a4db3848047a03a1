import { readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { unavailable } from '../../protocol/index.ts';
import { reasonOf } from '../reason.ts';
import type { RequestSettings } from './cluster-access.ts';
import type { KubeconfigCluster, KubeconfigUser, SelectedContext } from './kubeconfig-document.ts';

/**
 * What stands in the kubeconfig or in files it names: certificates, token, token file, basic, impersonation. Files are
 * read anew each time, so that what changed in them counts. As in kubectl, data in the kubeconfig goes before a file,
 * except for tokens, where the file goes first.
 * @throws GatewayError UNAVAILABLE that names the file that cannot be read
 */
export async function staticSettings({ cluster, user }: SelectedContext): Promise<RequestSettings> {
  const [tls, authorization] = await Promise.all([readTls(cluster, user), readAuthorization(user)]);
  return {
    server: cluster.server,
    headers: { ...(authorization && { authorization }), ...impersonation(user) },
    tls,
    agent: undefined,
  };
}

async function readTls(cluster: KubeconfigCluster, user: KubeconfigUser): Promise<RequestSettings['tls']> {
  const [ca, cert, key] = await Promise.all([
    dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
    dataOrFile(user['client-certificate-data'], user['client-certificate']),
    dataOrFile(user['client-key-data'], user['client-key']),
  ]);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
  };
}

async function readAuthorization(user: KubeconfigUser): Promise<string | undefined> {
  if (user.tokenFile) return `Bearer ${(await readCredential(user.tokenFile)).toString().trim()}`;
  if (user.token) return `Bearer ${user.token}`;
  if (user.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: KubeconfigUser): OutgoingHttpHeaders {
  return {
    ...(user.as && { 'impersonate-user': user.as }),
    ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
    ...(user['as-groups']?.length && { 'impersonate-group': [...user['as-groups']] }),
  };
}

async function dataOrFile(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return file ? readCredential(file) : undefined;
}

function readCredential(file: string): Promise<Buffer> {
  return readFile(file).catch(cause => {
    throw unavailable(`reading ${file}, which the kubeconfig names: ${reasonOf(cause)}`, { cause });
  });
}
