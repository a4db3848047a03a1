import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface GatewayProcess {
  readonly port: number;
  /** From the start of the process to the first answer of `/readyz`. */
  readonly readyMs: number;
  /** The most memory that the process has had, in MiB (VmHWM). */
  peakMiB(): number;
  /** The memory that it has at the moment, in MiB (VmRSS). */
  memoryMiB(): number;
  /** The same without what is garbage at the moment: how much that is depends on when V8 collected last. */
  liveMiB(): Promise<number>;
  /** Processor time that it has taken so far, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Runs in the gateway's process ahead of the program: tells its processor time when asked, collects garbage when told. */
const answer = '{if(told==="collect")gc();process.send(process.cpuUsage())}';
const control = `process.on("message",told=>${answer});process.channel.unref()`;

/**
 * The real program in a process of its own, on a port that the system chooses.
 * @param folder a checkout with its node_modules; default: this one
 * @param waits whether to wait for `/readyz`; a gateway without a Tiller is never ready
 */
export async function startGatewayProcess(
  flags: readonly string[],
  folder?: string,
  { waits = true } = {},
): Promise<GatewayProcess> {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      `data:text/javascript,${control}`,
      'src/main.ts',
      '--addr',
      '127.0.0.1:0',
      '--log-format',
      'json',
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], ...(folder && { cwd: folder }) },
  );
  const port = await portOf(child.stdout!);
  if (waits) await untilReady(port);
  return {
    port,
    readyMs: performance.now() - started,
    peakMiB: () => statusMiB(child.pid, 'VmHWM'),
    memoryMiB: () => statusMiB(child.pid, 'VmRSS'),
    async liveMiB() {
      child.send('collect');
      await once(child, 'message');
      return statusMiB(child.pid, 'VmRSS');
    },
    async cpuMs() {
      child.send('cpu');
      const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
      return (user + system) / 1000;
    },
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** The port in the line that says where the gateway listens; what it logs afterwards is thrown away. */
async function portOf(log: Readable): Promise<number> {
  for await (const line of createInterface(log)) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    log.resume();
    return Number(port);
  }
  throw new Error('the gateway ended before it listened');
}

async function untilReady(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(10);
  }
  throw new Error('the gateway did not become ready');
}

function statusMiB(pid: number | undefined, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}
