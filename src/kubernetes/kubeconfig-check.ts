import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { type GatewayError, reasonOf, unavailable } from '../protocol/index.ts';
import type { KubeconfigUser, SelectedContext } from './kubeconfig-file.ts';
import { parseProxy } from './proxy-agent.ts';

/**
 * Refuses what kubectl refuses of a context before it looks at its server.
 * Source: https://github.com/kubernetes/client-go/blob/v0.35.2/tools/clientcmd/validation.go
 * @throws GatewayError UNAVAILABLE that names the field and the file that it stands in
 */
export async function requireUsable({
  cluster,
  user,
  clusterName,
  userName,
}: SelectedContext): Promise<void> {
  if (
    cluster['proxy-url'] !== '' &&
    !/^(?:http|https|socks5)$/.test(parseProxy(cluster['proxy-url'])?.scheme ?? '')
  )
    throw unavailable(`proxy-url of ${clusterName} is not a URL with http, https or socks5`);
  requireOne(cluster, 'certificate-authority', clusterName);
  await requireReadable(cluster['certificate-authority'], `certificate-authority of ${clusterName}`);
  if (user['client-certificate'] || user['client-certificate-data'].length > 0) {
    requireOne(user, 'client-certificate', userName);
    requireOne(user, 'client-key', userName);
    if (!user['client-key'] && user['client-key-data'].length === 0)
      throw unavailable(`${userName} has a client-certificate without a client-key`);
    await requireReadable(user['client-certificate'], `client-certificate of ${userName}`);
    await requireReadable(user['client-key'], `client-key of ${userName}`);
  }
  requireUsablePlugin(user, userName);
  if ((user.username || user.password) && user.token)
    throw unavailable(`${userName} has both a token and a username or password`);
  const isImpersonating = user['as-uid'] || user['as-groups'].length > 0 || user['as-user-extra'].size > 0;
  if (isImpersonating && !user.as)
    throw unavailable(`${userName} has as-uid, as-groups or as-user-extra without as`);
}

function requireOne<Name extends string>(
  entry: { readonly [Field in Name | `${Name}-data`]: string | Buffer },
  name: Name,
  owner: string,
): void {
  if (entry[name].length > 0 && entry[`${name}-data`].length > 0)
    throw unavailable(`${owner} has both ${name} and ${name}-data`);
}

async function requireReadable(file: string, what: string): Promise<void> {
  if (file === '') return;
  await access(file, constants.R_OK).catch(cause => {
    throw unavailable(`reading ${file}, the ${what}: ${reasonOf(cause)}`, { cause });
  });
}

function requireUsablePlugin(user: KubeconfigUser, userName: string): void {
  const { exec } = user;
  if (!exec) return;
  const refuse = (problem: string): GatewayError => unavailable(`exec of ${userName} ${problem}`);
  if (user['auth-provider']) throw refuse('stands beside an auth-provider');
  if (exec.command === '') throw refuse('has no command');
  if (exec.apiVersion === '') throw refuse('has no apiVersion');
  if (exec.env.some(({ name }) => name === '')) throw refuse('has a variable in env without a name');
  const hasDefault = /^client\.authentication\.k8s\.io\/v1(?:alpha1|beta1)$/.test(exec.apiVersion);
  const modes = ['Never', 'IfAvailable', 'Always', ...(hasDefault ? [''] : [])];
  if (!modes.includes(exec.interactiveMode))
    throw refuse(`has no interactiveMode of ${modes.slice(0, 3).join(', ')}`);
}
