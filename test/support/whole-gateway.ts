/** The whole program in this process: every room wired as the command wires it, on a port of loopback. */
import { Writable } from 'node:stream';
import { type Gateway, startGateway } from '../../src/app/gateway.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import type { StubTiller } from './stub-tiller.ts';

export interface WholeGateway {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly url: string;
  /** The latest lines of the log, from `warn` up. */
  readonly lines: readonly string[];
  readonly gateway: Gateway;
}

/** Who closes the gateway: a test's context, usually. */
interface Owner {
  after(close: () => Promise<void>): unknown;
}

/** How many lines of the log are kept, so that a long test measures the gateway's memory and not the log's. */
const maxLines = 1000;

/** Starts a gateway in front of a stub Tiller, with further flags; it is stopped after the test. */
export function startWholeGateway(
  t: Owner,
  stub: StubTiller,
  flags: readonly string[] = [],
): Promise<WholeGateway> {
  return startGatewayWith(t, ['--connector=direct', `--tiller-endpoint=${stub.address}`, ...flags]);
}

/** Starts a gateway with these flags; it is stopped after the test. */
export async function startGatewayWith(t: Owner, flags: readonly string[]): Promise<WholeGateway> {
  const config = await loadConfig({ argv: ['--addr=127.0.0.1:0', ...flags], environment: {} });
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      if (lines.length > maxLines) lines.shift();
      done();
    },
  });
  const log = createLogger({ level: 'warn', format: 'json', stream });
  const gateway = await startGateway(config, '0.0.0', log);
  t.after(() => gateway.stop());
  const port = gateway.addresses[0]?.port ?? 0;
  return { port, address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, lines, gateway };
}
