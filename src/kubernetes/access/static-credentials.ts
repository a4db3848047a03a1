import { readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { getCACertificates } from 'node:tls';
import { reasonOf, unavailable } from '../../protocol/index.ts';
import type { RequestSettings } from './cluster-access.ts';
import type { KubeconfigCluster, KubeconfigUser, SelectedContext } from './kubeconfig-document.ts';

/**
 * What stands in the kubeconfig or in files it names: certificates, token, token file, basic, impersonation. Files are
 * read anew each time, so that what changed in them counts. As in kubectl, data in the kubeconfig goes before a file,
 * except for tokens, where the file goes first.
 * @throws GatewayError UNAVAILABLE that names the file that cannot be read
 */
export async function staticSettings(
  { cluster, user }: SelectedContext,
  environment: NodeJS.ProcessEnv,
): Promise<RequestSettings> {
  const [tls, authorization] = await Promise.all([
    readTls(cluster, user, environment),
    readAuthorization(user),
  ]);
  return {
    server: cluster.server,
    headers: { ...(authorization && { authorization }), ...impersonation(user) },
    tls,
    agent: undefined,
  };
}

async function readTls(
  cluster: KubeconfigCluster,
  user: KubeconfigUser,
  environment: NodeJS.ProcessEnv,
): Promise<RequestSettings['tls']> {
  const [ca, cert, key] = await Promise.all([
    dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
    dataOrFile(user['client-certificate-data'], user['client-certificate']),
    dataOrFile(user['client-key-data'], user['client-key']),
  ]);
  return {
    ca: ca ?? (await generalAuthorities(environment)),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
  };
}

/**
 * Whom to trust where the kubeconfig has no CA: as kubectl, `SSL_CERT_FILE`, else the system's; and Node's own, which
 * include `NODE_EXTRA_CA_CERTS`.
 */
async function generalAuthorities(environment: NodeJS.ProcessEnv): Promise<Buffer | string[]> {
  if (environment.SSL_CERT_FILE) return readCredential(environment.SSL_CERT_FILE);
  return [...getCACertificates('default'), ...getCACertificates('system')];
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
    throw unavailable(`reading ${file}, which the kubeconfig or the environment names: ${reasonOf(cause)}`, {
      cause,
    });
  });
}
