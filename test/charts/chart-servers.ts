/** Stand-ins of the chart servers that are in use, as far as their clients see them. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

export interface ServedChart {
  readonly name: string;
  readonly version: string;
  readonly archive: Buffer;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function indexYaml(charts: readonly ServedChart[], toUrl: (file: string) => string): string {
  const names = Map.groupBy(charts, ({ name }) => name);
  const entries = [...names].map(([name, versions]) => {
    const list = versions.map(
      ({ version, archive }, position) =>
        `  - apiVersion: v1\n    created: "2020-01-0${position + 1}T00:00:00Z"\n    digest: ${sha256(archive)}\n    name: ${name}\n    urls:\n    - ${toUrl(`${name}-${version}.tgz`)}\n    version: ${version}\n`,
    );
    return `  ${name}:\n${list.join('')}`;
  });
  return `apiVersion: v1\nentries:\n${entries.join('')}generated: "2020-01-01T00:00:00Z"\n`;
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  request.on('data', chunk => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
  return promise;
}

/**
 * ChartMuseum: relative URLs (`charts/NAME-VERSION.tgz`), `/api/charts` to list and upload, an index that is compressed for who
 * takes it so, with a date by which it is asked about again.
 */
export class ChartMuseum {
  readonly charts: ServedChart[] = [];
  /** Answers to requests for the index, by status. */
  readonly answers: number[] = [];
  #changed = Date.UTC(2020, 0, 1);

  answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '', headers } = request;
    const file = /^\/charts\/(.+)\.tgz$/.exec(url)?.[1];
    if (url === '/index.yaml') this.#sendIndex(headers['if-modified-since'], headers, response);
    else if (url === '/api/charts' && method === 'POST') {
      const archive = await readBody(request);
      const [, name = '', version = ''] = /^(.*)-(\d.*)$/.exec(String(headers['x-file'])) ?? [];
      this.charts.push({ name, version, archive });
      this.#changed += 1_000;
      response.writeHead(201, { 'content-type': 'application/json' }).end('{"saved":true}');
    } else if (url === '/api/charts') {
      const byName = Map.groupBy(this.charts, ({ name }) => name);
      response.end(JSON.stringify(Object.fromEntries(byName)));
    } else {
      const chart = this.charts.find(({ name, version }) => `${name}-${version}` === file);
      if (method === 'HEAD' || !chart) response.writeHead(chart ? 200 : 404).end();
      else response.writeHead(200, { 'content-type': 'application/x-tar' }).end(chart.archive);
    }
  };

  #sendIndex(known: string | undefined, headers: IncomingMessage['headers'], response: ServerResponse): void {
    const date = new Date(this.#changed).toUTCString();
    const isUnchanged = known === date;
    this.answers.push(isUnchanged ? 304 : 200);
    if (isUnchanged) return void response.writeHead(304).end();
    const text = indexYaml(this.charts, file => `charts/${file}`);
    const isPacked = /gzip/.test(headers['accept-encoding'] ?? '');
    response.writeHead(200, {
      'content-type': 'application/x-yaml',
      'last-modified': date,
      ...(isPacked && { 'content-encoding': 'gzip' }),
    });
    response.end(isPacked ? gzipSync(text) : text);
  }
}

/**
 * Harbor's chart repository of a project: robot accounts by basic authentication, absolute URLs on the same host, an ETag,
 * and 401 without the account for everything.
 */
export class HarborCharts {
  readonly charts: ServedChart[] = [];
  readonly answers: number[] = [];
  readonly account: string;
  #origin = '';

  constructor(name: string, secret: string) {
    this.account = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
  }

  answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '', headers, method } = request;
    this.#origin = `http://${headers.host}`;
    if (headers.authorization !== this.account) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="harbor"' }).end();
    } else if (url === '/chartrepo/team/index.yaml') {
      const text = indexYaml(this.charts, file => `${this.#origin}/chartrepo/team/charts/${file}`);
      const etag = `"${sha256(Buffer.from(text)).slice(0, 16)}"`;
      const isUnchanged = headers['if-none-match'] === etag;
      this.answers.push(isUnchanged ? 304 : 200);
      response.writeHead(isUnchanged ? 304 : 200, { etag }).end(isUnchanged ? undefined : text);
    } else {
      const file = /^\/chartrepo\/team\/charts\/(.+)\.tgz$/.exec(url)?.[1];
      const chart = this.charts.find(({ name, version }) => `${name}-${version}` === file);
      if (method === 'HEAD') response.writeHead(405).end();
      else if (chart) response.end(chart.archive);
      else response.writeHead(404).end();
    }
  };
}
