import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { reasonOf, unavailable } from '../protocol/index.ts';
import { goJson, parseYaml, type YamlValue } from '../yaml/index.ts';
import { type ExecEntry, serverFields } from './kubeconfig-file.ts';
import { type KeyPair, problemOfPair } from './server-tls.ts';
import { readFields, withTypeNames } from './typed-fields.ts';

/*
 * Not left to @kubernetes/client-node, which waits for a plugin without a bound, leaves its input open, starts it once
 * for each who asks, and takes what kubectl refuses.
 */

/** Bound on one run of a plugin; a plugin that asks an identity service takes some seconds. */
const defaultTimeoutMs = 30_000;

/** An `ExecCredential` has a few KiB; this only keeps a mad plugin from filling the memory. */
const maxOutputBytes = 1024 * 1024;

/** How much of what it says on its standard error is kept. */
const maxComplaintChars = 2000;

const hasGroups = process.platform !== 'win32';

export interface ExecRequest {
  readonly exec: ExecEntry;
  /** The cluster as the plugin is told it, where it wants to know. */
  readonly cluster: ReadonlyMap<string, YamlValue> | undefined;
}

/** What a plugin has printed: a token, a certificate with its key, or both. */
export interface ExecCredentials {
  readonly token: string | undefined;
  readonly pair: KeyPair | undefined;
  /** Milliseconds since 1970; undefined where they do not expire. */
  readonly expiresAt: number | undefined;
}

/** Gives a plugin's credentials, from a run of the program where none are kept that still hold. */
export type ExecPlugin = () => Promise<ExecCredentials>;

/**
 * The plugin of one user.
 * Rules: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * @param timeoutMs bounds a run, which is killed then
 */
export function createExecPlugin(
  request: ExecRequest,
  environment: NodeJS.ProcessEnv,
  timeoutMs = defaultTimeoutMs,
): ExecPlugin {
  let kept: ExecCredentials | undefined;
  let running: Promise<ExecCredentials> | undefined;
  return async () => {
    if (!kept || (kept.expiresAt !== undefined && kept.expiresAt < Date.now())) {
      // one at a time: a plugin that is slow must not be started again by everyone who waits for it
      running ??= run(request, environment, timeoutMs).finally(() => {
        running = undefined;
      });
      kept = await running;
    }
    return kept;
  };
}

async function run(
  { exec, cluster }: ExecRequest,
  environment: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<ExecCredentials> {
  const spec = { ...(cluster && { cluster: cluster as YamlValue }), interactive: false };
  const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec: toMap(spec) };
  const given = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
  try {
    const child = spawn(await programOf(exec.command, environment), [...exec.args], {
      env: { ...environment, ...given, KUBERNETES_EXEC_INFO: goJson(toMap(info)) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: hasGroups, // in a process group of its own, to be killed with what it starts
    });
    return parseCredentials(await outputOf(child, timeoutMs), exec.apiVersion);
  } catch (cause) {
    throw unavailable(`getting credentials from the plugin ${exec.command}: ${reasonOf(cause)}`, { cause });
  }
}

function toMap(fields: Record<string, YamlValue>): Map<string, YamlValue> {
  return new Map(Object.entries(fields));
}

/** A bare command is looked up in this process's PATH, as in Go not in relative folders of it. */
async function programOf(command: string, { PATH = '' }: NodeJS.ProcessEnv): Promise<string> {
  if (!hasGroups) return command;
  if (command.includes('/')) {
    await requireFormat(command);
    return command;
  }
  for (const candidate of PATH.split(delimiter).map(folder => join(folder, command))) {
    if (!(await isExecutable(candidate))) continue;
    // an empty entry of PATH is the working folder
    if (!isAbsolute(candidate)) throw new Error('it is in a relative folder of PATH');
    await requireFormat(candidate);
    return candidate;
  }
  throw new Error('it is not in PATH');
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return !(await stat(file)).isDirectory();
  } catch {
    return false;
  }
}

/** The C library's execvp gives a text without `#!` to the shell; the kernel, and so kubectl, does not run it. */
async function requireFormat(file: string): Promise<void> {
  if (!(await isExecutable(file))) return; // spawn says why
  const handle = await open(file).catch(() => undefined); // a program may be executable without being readable
  try {
    const { buffer, bytesRead } = (await handle?.read(Buffer.alloc(256), 0, 256, 0)) ?? { bytesRead: -1 };
    if (!buffer || bytesRead < 0) return;
    const start = buffer.subarray(0, bytesRead);
    if (start.toString('latin1', 0, 2) !== '#!' && !start.includes(0))
      throw new Error('it is neither a program nor a script that begins with #!');
  } finally {
    await handle?.close();
  }
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
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let size = 0;
  let complaint = '';
  const late = () => reject(new Error(`no answer within ${timeoutMs / 1000} s`));
  const timer = setTimeout(late, timeoutMs);
  child.stdout?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxOutputBytes) reject(new Error(`it printed more than ${maxOutputBytes} bytes`));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, maxComplaintChars);
  });
  child.once('error', reject);
  child.once('close', (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(chunks).toString());
    // what it complained of goes to the log only, which redacts: it may hold a secret
    const cause = complaint === '' ? undefined : new Error(complaint.trim());
    reject(new Error(`it ended with ${signal ?? `status ${code}`}`, { cause }));
  });
  return promise
    .catch(error => {
      kill(child);
      child.stdout?.destroy();
      child.stderr?.destroy();
      throw error;
    })
    .finally(() => clearTimeout(timer));
}

const execCredential = {
  fields: {
    kind: 'text',
    apiVersion: 'text',
    spec: { fields: { interactive: 'boolean', cluster: { fields: serverFields } } },
    status: {
      optional: {
        fields: {
          token: 'text',
          clientCertificateData: 'text',
          clientKeyData: 'text',
          expirationTimestamp: { optional: 'text' },
        },
      },
    },
  },
} as const;

/** RFC 3339, as Go's time.Parse reads it. */
const timestamp = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Milliseconds since 1970; undefined for what is no time. */
function parseTime(text: string): number | undefined {
  const match = timestamp.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [zoneHour, zoneMinute] = [Number(match[8] ?? 0), Number(match[9] ?? 0)];
  if (!isDay || hour > 23 || minute > 59 || second > 59 || zoneHour > 24 || zoneMinute > 59) return undefined;
  const zone = (match[7] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  return date.setUTCHours(hour, minute - zone, second);
}

function parseCredentials(output: string, apiVersion: string): ExecCredentials {
  const credential = readFields(withTypeNames(parseOutput(output)), execCredential, problem => {
    throw new Error(`in what it printed, ${problem}`);
  });
  if (credential.apiVersion !== apiVersion || (credential.kind || 'ExecCredential') !== 'ExecCredential')
    throw new Error(`it printed no ExecCredential of ${apiVersion}`);
  const { token = '', clientCertificateData: cert = '', clientKeyData: key = '' } = credential.status ?? {};
  if ((cert === '') !== (key === ''))
    throw new Error('it printed a certificate without its key, or a key alone');
  if (token === '' && cert === '')
    throw new Error('it printed no ExecCredential with a token or a certificate');
  const problem = cert === '' ? undefined : problemOfPair({ cert, key });
  if (problem) throw new Error(`the certificate that it printed ${problem}`);
  const expires = credential.status?.expirationTimestamp;
  const expiresAt = expires === undefined ? undefined : parseTime(expires);
  if (expires !== undefined && expiresAt === undefined)
    throw new Error('in what it printed, status.expirationTimestamp is not a time as RFC 3339 has it');
  return {
    token: token || undefined,
    pair: cert === '' ? undefined : { cert, key },
    expiresAt,
  };
}

/** JSON where it begins as such, else YAML, as Kubernetes' decoders choose. */
function parseOutput(output: string): YamlValue {
  try {
    if (!/^[ \t\r\n]*\{/.test(output)) return parseYaml(output, { maxNodes: 10_000 });
    return JSON.parse(output, (_key, value) => (isObject(value) ? new Map(Object.entries(value)) : value));
  } catch {
    // not what the parser says: it may quote a token
    throw new Error('it printed neither JSON nor YAML');
  }
}

function isObject(value: unknown): value is Record<string, YamlValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
