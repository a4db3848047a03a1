/** The whole program in this process: every room wired as the command wires it, on a port of loopback. */
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type Gateway, startGateway } from '../../src/app/gateway.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import type { StubTiller } from './stub-tiller.ts';

export interface WholeGateway {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly url: string;
  /** The lines of the log so far, from `warn` up. */
  readonly lines: readonly string[];
  readonly gateway: Gateway;
}

/** Starts a gateway in front of a stub Tiller, with further flags; it is stopped after the test. */
export async function startWholeGateway(
  t: TestContext,
  stub: StubTiller,
  flags: readonly string[] = [],
): Promise<WholeGateway> {
  const config = await loadConfig({
    argv: ['--addr=127.0.0.1:0', '--connector=direct', `--tiller-endpoint=${stub.address}`, ...flags],
    environment: {},
  });
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ level: 'warn', format: 'json', stream });
  const gateway = await startGateway(config, '0.0.0', log);
  t.after(() => gateway.stop());
  const port = gateway.addresses[0]?.port ?? 0;
  return { port, address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, lines, gateway };
}
