/**
 * A real kube-apiserver with etcd, on loopback, for tests that hold the sandbox's API and a real one to the same. The
 * programs are those of the folder that KUBEBUILDER_ASSETS names, as controller-runtime's envtest has it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedCertificate } from './certificates.ts';
import { eventually } from './eventually.ts';
import { askKube, type KubeAddress } from './kube-client.ts';

const assets = process.env.KUBEBUILDER_ASSETS ?? '';

/** Why there is no real API server here, or false. */
export const withoutEnvKubernetes =
  assets === ''
    ? 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver'
    : ['etcd', 'kube-apiserver'].every(program => existsSync(join(assets, program)))
      ? false
      : `${assets}, which KUBEBUILDER_ASSETS names, lacks etcd or kube-apiserver`;

/** A real API server; its user may do everything. */
export interface EnvKubernetes extends KubeAddress, AsyncDisposable {
  /** For programs that take a kubeconfig. */
  kubeconfig(): string;
  /** Makes etcd forget all versions but the last. */
  forgetHistory(): Promise<void>;
}

/** Starts both, in a folder of their own that goes with them. */
export async function startEnvKubernetes(): Promise<EnvKubernetes> {
  const folder = await mkdtemp(join(tmpdir(), 'env-kubernetes-'));
  const programs: ChildProcess[] = [];
  const stop = async () => {
    for (const program of programs.reverse()) await end(program);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [client, peer, port] = await freePorts(3);
    programs.push(
      start('etcd', [
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=http://127.0.0.1:${client}`,
        `--advertise-client-urls=http://127.0.0.1:${client}`,
        `--listen-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-cluster=default=http://127.0.0.1:${peer}`,
        '--unsafe-no-fsync',
      ]),
    );
    const certificate = await sharedCertificate();
    const token = randomBytes(16).toString('hex');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    const file = async (name: string, text: string) => {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    programs.push(
      start('kube-apiserver', [
        `--etcd-servers=http://127.0.0.1:${client}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${folder}`,
        `--tls-cert-file=${await file('tls.crt', certificate.certPem)}`,
        `--tls-private-key-file=${await file('tls.key', certificate.keyPem)}`,
        `--service-account-key-file=${await file('account.pub', publicKey)}`,
        `--service-account-signing-key-file=${await file('account.key', privateKey)}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--token-auth-file=${await file('tokens.csv', `${token},admin,admin,system:masters\n`)}`,
        '--authorization-mode=RBAC',
        '--disable-admission-plugins=ServiceAccount',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--watch-cache-sizes=configmaps#0', // so that they forget what etcd forgets
      ]),
    );
    const address = { url: `https://127.0.0.1:${port}`, caPem: certificate.caPem, token };
    await eventually(() => isReady(address, programs), { timeoutMs: 60_000, everyMs: 200 });
    return {
      ...address,
      kubeconfig: () => kubeconfigOf(address),
      forgetHistory: () => compact(`http://127.0.0.1:${client}`),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(join(assets, program), args, { stdio: 'ignore' });
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  program.kill('SIGTERM');
  const hard = setTimeout(() => program.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(hard);
}

/** With its first namespaces: they are made a moment after it listens. */
async function isReady(address: KubeAddress, programs: readonly ChildProcess[]): Promise<boolean> {
  const ended = programs.find(({ exitCode }) => exitCode !== null);
  if (ended) throw new Error(`${ended.spawnfile} ended with ${ended.exitCode}`);
  try {
    const { status } = await askKube(address, { path: '/readyz' });
    if (status !== 200) return false;
    return (await askKube(address, { path: '/api/v1/namespaces/default' })).status === 200;
  } catch {
    return false;
  }
}

/** By etcd's JSON gateway. Source: https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ */
async function compact(etcd: string): Promise<void> {
  const ask = async (path: string, body: object) => {
    const response = await fetch(`${etcd}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${path}: HTTP ${response.status}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await ask('range', { key: Buffer.from('/').toString('base64') });
  await ask('compaction', { revision: header.revision, physical: true });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  return ports;
}

function kubeconfigOf({ url, caPem, token }: KubeAddress): string {
  const name = 'env';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [
      { name, cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
  });
}
