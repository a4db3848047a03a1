/** The charts of the recording, served as they were then: plain, behind a password, behind a token. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { conformanceFolder } from './recording.ts';

const basic = `Basic ${Buffer.from('reader:s3cret').toString('base64')}`;

/** Where the recorded requests have it. It listens on a free port all the same: test files run side by side. */
export const recordedChartPort = 18080;

export interface ChartServer extends AsyncDisposable {
  readonly port: number;
}

export async function startChartServer(): Promise<ChartServer> {
  const server = createServer((request, response) => {
    const { folder, name } =
      /^\/(?:(?<folder>private|token)\/)?(?<name>[\w.-]+\.tgz)$/.exec(request.url ?? '')?.groups ?? {};
    const wanted = folder === 'private' ? basic : folder === 'token' ? 'Bearer tok-123' : undefined;
    const file = join(conformanceFolder, 'charts', name ?? '-');
    if (wanted && request.headers.authorization !== wanted) response.writeHead(401).end('unauthorized\n');
    else if (!existsSync(file)) response.writeHead(404).end('404 page not found\n');
    else response.end(readFileSync(file));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
