import { type ChildProcess, spawn } from 'node:child_process';
import { reasonOf, unavailable } from '../protocol/index.ts';
import type { RequestSettings } from './api.ts';
import type { KubeconfigCluster, SelectedContext } from './kubeconfig-file.ts';

/** Bound on one run of a plugin; a plugin that asks an identity service takes some seconds. */
const defaultTimeoutMs = 30_000;

/** An `ExecCredential` has a few KiB; this only keeps a mad plugin from filling the memory. */
const maxOutputBytes = 1024 * 1024;

/** How much of what it says on its standard error is kept. */
const maxComplaintChars = 2000;

const hasGroups = process.platform !== 'win32';

/** Credentials that a program prints. Rules: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
export interface ExecPlugin {
  /** Adds the plugin's token or certificate to the settings, from a run of it where none is kept that still holds. */
  apply(settings: RequestSettings): Promise<RequestSettings>;
}

/** The part of an `ExecCredential` that is read. */
interface Status {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

/**
 * The plugin of a context. Not left to @kubernetes/client-node, which waits for a plugin without a bound, leaves its
 * input open, and starts it once for each who asks.
 */
export function createExecPlugin(
  selected: SelectedContext,
  environment: NodeJS.ProcessEnv,
  timeoutMs = defaultTimeoutMs,
): ExecPlugin {
  let kept: Status | undefined;
  let running: Promise<Status> | undefined;

  async function run(settings: RequestSettings): Promise<Status> {
    const { exec } = selected.user;
    const given = Object.fromEntries((exec?.env ?? []).map(({ name, value }) => [name, value]));
    const info = { KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(selected, settings)) };
    const child = spawn(exec?.command ?? '', exec?.args ?? [], {
      env: { ...environment, ...given, ...info },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: hasGroups, // in a process group of its own, to be killed with what it starts
    });
    try {
      return parseStatus(await outputOf(child, timeoutMs));
    } catch (cause) {
      throw unavailable(`getting credentials from the plugin ${exec?.command}: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  return {
    async apply(settings) {
      if (!kept || hasExpired(kept)) {
        // one at a time: a plugin that is slow must not be started again by everyone who waits for it
        running ??= run(settings).finally(() => {
          running = undefined;
        });
        kept = await running;
      }
      const { token, clientCertificateData: cert, clientKeyData: key } = kept;
      return {
        ...settings,
        headers: { ...settings.headers, ...(token && { authorization: `Bearer ${token}` }) },
        tls: { ...settings.tls, ...(cert && { cert }), ...(key && { key }) },
      };
    },
  };
}

function hasExpired({ expirationTimestamp }: Status): boolean {
  return expirationTimestamp !== undefined && !(Date.parse(expirationTimestamp) > Date.now());
}

/** Kills the program and, where there are process groups, what it has started. */
function kill(child: ChildProcess): void {
  try {
    if (hasGroups && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // all of them have ended already
  }
}

/** The output of the program; it is killed when it takes too long or prints too much. */
function outputOf(child: ChildProcess, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let complaint = '';
    const give = (error: Error | undefined) => {
      clearTimeout(timer);
      if (error) {
        kill(child);
        child.stdout?.destroy();
        child.stderr?.destroy();
        reject(error);
      } else resolve(Buffer.concat(chunks).toString());
    };
    const timer = setTimeout(() => give(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    child.stdout?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxOutputBytes) give(new Error(`it printed more than ${maxOutputBytes} bytes`));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, maxComplaintChars);
    });
    child.once('error', give);
    child.once('close', (code, signal) => {
      // what it complained of goes to the log only, which redacts: it may hold a secret
      const cause = complaint === '' ? undefined : new Error(complaint.trim());
      give(code === 0 ? undefined : new Error(`it ended with ${signal ?? `status ${code}`}`, { cause }));
    });
  });
}

function parseStatus(output: string): Status {
  let status: Status | undefined;
  try {
    status = JSON.parse(output)?.status;
  } catch {
    // not what the parser says: it may quote a token
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status ?? {};
  const texts = [token, clientCertificateData, clientKeyData, expirationTimestamp];
  const isRead = texts.every(text => text === undefined || typeof text === 'string');
  if (!isRead || !(token || (clientCertificateData && clientKeyData)))
    throw new Error('it printed no ExecCredential with a token or a certificate');
  return status as Status;
}

/** The value of `KUBERNETES_EXEC_INFO`, which describes the request and the cluster to the plugin. */
function execInfo({ cluster, user: { exec } }: SelectedContext, settings: RequestSettings): object {
  return {
    apiVersion: exec?.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec?.provideClusterInfo && { cluster: clusterInfo(cluster, settings) }),
    },
  };
}

function clusterInfo(cluster: KubeconfigCluster, { tls }: RequestSettings): object {
  return {
    server: cluster.server,
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'proxy-url': cluster['proxy-url'],
    ...(Buffer.isBuffer(tls.ca) && { 'certificate-authority-data': tls.ca.toString('base64') }),
  };
}
