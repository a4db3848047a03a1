/** The charts of the recording, served as they were then: plain, behind a password, behind a token. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { conformanceFolder } from './recording.ts';

const basic = `Basic ${Buffer.from('reader:s3cret').toString('base64')}`;

/** Listens on the port that stands in the recorded requests. */
export async function startChartServer(port = 18080): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const { folder, name } =
      /^\/(?:(?<folder>private|token)\/)?(?<name>[\w.-]+\.tgz)$/.exec(request.url ?? '')?.groups ?? {};
    const wanted = folder === 'private' ? basic : folder === 'token' ? 'Bearer tok-123' : undefined;
    const file = join(conformanceFolder, 'charts', name ?? '-');
    if (wanted && request.headers.authorization !== wanted) response.writeHead(401).end('unauthorized\n');
    else if (!existsSync(file)) response.writeHead(404).end('404 page not found\n');
    else response.end(readFileSync(file));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
