import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** The real program in a process of its own. */
export interface GatewayProcess {
  readonly port: number;
  readonly pid: number;
  /** Every line of the log so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  signal(name: NodeJS.Signals): void;
  /** Waits until a line has this message. */
  seen(message: RegExp): Promise<void>;
  /** The exit code, and the signal's name where one ended it. */
  readonly exit: Promise<number | string>;
  /** The end of what it wrote to its standard error so far: Node's own last words, where it aborts. */
  lastWords(): string;
}

/** Of the standard error: as much is kept. */
const maxLastWords = 16_384;

export interface ProcessOptions {
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** Which lines of the log are read, as they come; all, unless it is given. The one with the address has to be. */
  readonly keep?: RegExp;
  /** How many files it may have open. */
  readonly openFiles?: number;
}

/** Starts the gateway on a free port of loopback and waits until it listens. It is killed after the test. */
export async function startGatewayProcess(
  t: TestContext,
  args: string[] = [],
  { nodeFlags = [], keep = /^/, openFiles }: ProcessOptions = {},
): Promise<GatewayProcess> {
  const child = spawnMain(['--addr=127.0.0.1:0', ...args], {}, nodeFlags, openFiles);
  t.after(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout! }).on('line', line => {
    if (!keep.test(line)) return;
    lines.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', text => {
    errors = (errors + text).slice(-maxLastWords);
  });
  const exit = exitOf(child);
  const find = (message: RegExp) => lines.find(line => message.test(String(line.message)));
  const seen = (message: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!find(message)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      exit.then(code => reject(new Error(`ended with ${code} before ${message}: ${errors}`)));
    });
  await seen(/^listening on /);
  const port = Number(/\d+$/.exec(String(find(/^listening on /)?.message))?.[0]);
  return {
    port,
    pid: child.pid ?? 0,
    lines,
    seen,
    exit,
    lastWords: () => errors,
    signal: name => void child.kill(name),
  };
}

/** Runs the command to its end. */
export async function runMain(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const child = spawnMain(args, environment);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', text => {
      texts[name] += text;
    });
  }
  return { code: await exitOf(child), ...texts };
}

function spawnMain(
  args: string[],
  environment: Record<string, string> = {},
  nodeFlags: readonly string[] = [],
  openFiles?: number,
): ChildProcess {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE, ...environment };
  const command = [process.execPath, ...nodeFlags, main, ...args];
  const [file = '', ...rest] =
    openFiles === undefined ? command : ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...command];
  return spawn(file, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function exitOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = await once(child, 'close');
  return code ?? signal;
}
