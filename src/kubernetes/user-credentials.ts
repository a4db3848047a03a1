import type { OutgoingHttpHeaders } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { unavailable } from '../protocol/index.ts';
import type { YamlValue } from '../yaml/index.ts';
import type { ExecPlugin, ExecRequest } from './exec-plugin.ts';
import type { KubeconfigCluster, KubeconfigUser, SelectedContext } from './kubeconfig-file.ts';
import type { OidcProvider } from './oidc.ts';
import { type KeyPair, readNamedFile } from './server-tls.ts';
import { normalizedServer, type Server } from './server-url.ts';

export interface Credentials {
  readonly authorization: string | undefined;
  readonly pair: KeyPair | undefined;
}

/**
 * What identifies the user: a login in the server's URL, else the token, else name and password, else a plugin's or an
 * identity provider's token; and a certificate. Each of the kubeconfig's own keeps a plugin from being run.
 * @throws GatewayError UNAVAILABLE also without any, where kubectl asks for a name
 */
export async function credentialsOf(
  { cluster, user, userName }: SelectedContext,
  server: Server,
  ca: Buffer | undefined,
  { plugins, providers }: Issuers,
): Promise<Credentials> {
  const token = await tokenOf(user, userName);
  const own =
    token !== undefined ? `Bearer ${token}` : user.username ? basic(user.username, user.password) : undefined;
  const pair = await pairOf(user, userName);
  const authorization = server.login ? basic(server.login.name, server.login.password) : own;
  const { exec, 'auth-provider': provider } = user;
  if (exec) {
    requireKnownVersion(exec, userName);
    if (own !== undefined || pair) return { authorization, pair };
    if (exec.interactiveMode === 'Always')
      throw unavailable(`exec of ${userName} has interactiveMode Always, and there is no terminal here`);
    const info = exec.provideClusterInfo ? clusterInfo(cluster, ca) : undefined;
    const given = await plugins.of({ exec, cluster: info }).credentials();
    const theirs = given.token === undefined ? undefined : bearer(given.token, 'the token of the plugin');
    return { authorization: authorization ?? theirs, pair: given.pair };
  }
  if (provider) {
    if (provider.name !== 'oidc')
      throw unavailable(`auth-provider of ${userName} is not oidc, the only one that kubectl still has`);
    const kept = providers.of(provider.config);
    await kept.check();
    return { authorization: authorization ?? bearer(await kept.idToken(), 'id-token'), pair };
  }
  if (own === undefined && !pair) throw unavailable(`${userName} has no credentials`);
  return { authorization, pair };
}

function bearer(token: string, what: string): string {
  return `Bearer ${headerText(token, what)}`;
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** The trimmed content of the token file; where it cannot be read or is blank, the token. */
async function tokenOf(user: KubeconfigUser, userName: string): Promise<string | undefined> {
  const { token, tokenFile, username } = user;
  const what = `token of ${userName}`;
  if (tokenFile === '') return token === '' ? undefined : headerText(token, what);
  if (username !== '') throw unavailable(`${userName} has both a tokenFile and a username`);
  const bytes = await readNamedFile(tokenFile, `tokenFile of ${userName}`).catch(error => {
    if (token === '') throw error;
    return Buffer.alloc(0);
  });
  const content = bytes.toString().replace(blanksAround, '');
  if (content.includes('\ufffd'))
    throw unavailable(`${tokenFile}, the tokenFile of ${userName}, is not UTF-8`);
  if (content !== '') return headerText(content, `tokenFile of ${userName}`);
  if (token !== '') return headerText(token, what);
  throw unavailable(`${tokenFile}, the tokenFile of ${userName}, is blank`);
}

/** What Go's strings.TrimSpace takes away: not a byte order mark, which `trim` would. */
const blanksAround = /^(?:(?!\ufeff)[\s\u0085])+|(?:(?!\ufeff)[\s\u0085])+$/g;

async function pairOf(user: KubeconfigUser, userName: string): Promise<KeyPair | undefined> {
  const read = async (name: 'client-certificate' | 'client-key') => {
    const data = user[`${name}-data`];
    return data.length > 0 ? data : readNamedFile(user[name], `${name} of ${userName}`);
  };
  if (!user['client-certificate'] && user['client-certificate-data'].length === 0) return undefined;
  const [cert, key] = await Promise.all([read('client-certificate'), read('client-key')]);
  // OpenSSL takes these for certificates as well, and Go does not
  if (/-----BEGIN (?:X509|TRUSTED) CERTIFICATE-----/.test(cert.toString('latin1')))
    throw unavailable(`client-certificate of ${userName} has PEM blocks other than CERTIFICATE`);
  return { cert, key };
}

function requireKnownVersion({ apiVersion }: ExecRequest['exec'], userName: string): void {
  if (!/^client\.authentication\.k8s\.io\/v1(?:beta1)?$/.test(apiVersion))
    throw unavailable(
      `exec of ${userName} has an apiVersion other than client.authentication.k8s.io/v1 and v1beta1`,
    );
}

/** The cluster as `KUBERNETES_EXEC_INFO` describes it. */
function clusterInfo(cluster: KubeconfigCluster, ca: Buffer | undefined): ReadonlyMap<string, YamlValue> {
  const fields: readonly (readonly [string, YamlValue | undefined])[] = [
    ['server', normalizedServer(cluster.server)],
    ['tls-server-name', cluster['tls-server-name'] || undefined],
    ['insecure-skip-tls-verify', cluster['insecure-skip-tls-verify'] || undefined],
    ['certificate-authority-data', ca && ca.length > 0 ? ca.toString('base64') : undefined],
    ['proxy-url', cluster['proxy-url'].replace(/^\w+:/, scheme => scheme.toLowerCase()) || undefined],
    ['disable-compression', cluster['disable-compression'] || undefined],
    ['config', cluster.extensions.get('client.authentication.k8s.io/exec') ?? null],
  ];
  return new Map(fields.filter((field): field is [string, YamlValue] => field[1] !== undefined));
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
export function impersonation(user: KubeconfigUser): OutgoingHttpHeaders {
  if (!user.as) return {};
  const text = (value: string) => headerText(value, 'as, as-uid, as-groups or as-user-extra');
  const extra: Record<string, string[]> = {};
  for (const [key, values] of user['as-user-extra']) {
    const name = `impersonate-extra-${escapeKey(key)}`;
    if (values.length > 0) extra[name] = [...(extra[name] ?? []), ...values.map(text)];
  }
  return {
    'impersonate-user': text(user.as),
    ...(user['as-uid'] && { 'impersonate-uid': text(user['as-uid']) }),
    ...(user['as-groups'].length > 0 && { 'impersonate-group': user['as-groups'].map(text) }),
    ...extra,
  };
}

/** What no header's name can hold is percent-encoded, byte by byte. */
function escapeKey(key: string): string {
  const bytes = Buffer.from(key).toString('latin1');
  const encode = (byte: string) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return bytes.replace(/[^\w!#$&'*+\-.^`|~]/g, encode).toLowerCase();
}

/** A text as Node has to be given it so that its UTF-8 bytes are sent. */
function headerText(text: string, what: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header can hold
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text))
    throw unavailable(`${what} in the kubeconfig holds a character that cannot be sent`);
  return Buffer.from(text).toString('latin1');
}

/** What gives credentials that are kept, since it takes a program or a request to get them. */
export interface Issuers {
  readonly plugins: Kept<ExecRequest, ExecPlugin>;
  readonly providers: Kept<ReadonlyMap<string, string>, OidcProvider>;
}

export interface Kept<Key, T> {
  of(key: Key): T;
  drop(): void;
}

/** Keeps what is made of a key for as long as the key stays equal. */
export function keepOne<Key, T>(create: (key: Key) => T): Kept<Key, T> {
  let kept: { readonly key: Key; readonly value: T } | undefined;
  return {
    of(key) {
      if (!kept || !isDeepStrictEqual(kept.key, key)) kept = { key, value: create(key) };
      return kept.value;
    },
    drop() {
      kept = undefined;
    },
  };
}
