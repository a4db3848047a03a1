/** A stand-in of an OCI registry as Harbor and others are: tags, manifests, blobs, and a token service with robot accounts. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Authentication = 'none' | 'basic' | 'bearer';

export const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.cncf.helm.config.v1+json',
  chart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  provenance: 'application/vnd.cncf.helm.chart.provenance.v1.prov',
};

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export class OciRegistry {
  authentication: Authentication = 'none';
  /** What WWW-Authenticate says; `HOST` becomes the registry's own. */
  challenge =
    'Bearer realm="http://HOST/service/token",service="harbor-registry",scope="repository:any:pull,push"';
  /** Where blobs are redirected to. */
  blobsAt: string | undefined;
  /** Takes a request before everything else. */
  hook: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  pageSize = 1000;
  #given = 0;
  readonly account: string;
  readonly tokens = new Set<string>();
  /** By repository and tag or digest. */
  readonly manifests = new Map<string, Buffer>();
  readonly tags = new Map<string, string[]>();
  readonly blobs = new Map<string, Buffer>();

  constructor(name: string, secret: string) {
    this.account = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
  }

  addBlob(bytes: Buffer, mediaType: string): Record<string, unknown> {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** @returns the digest */
  addManifest(repository: string, tag: string | undefined, json: unknown): string {
    const bytes = Buffer.isBuffer(json) ? json : Buffer.from(JSON.stringify(json));
    const digest = digestOf(bytes);
    this.manifests.set(`${repository} ${digest}`, bytes);
    if (tag === undefined) return digest;
    this.manifests.set(`${repository} ${tag}`, bytes);
    this.tags.set(repository, [...(this.tags.get(repository) ?? []), tag]);
    return digest;
  }

  /** A chart as `helm push` leaves it. @returns the manifest's digest */
  addChart(
    repository: string,
    tag: string,
    archive: Buffer,
    { chartType = types.chart, provenance }: { chartType?: string; provenance?: Buffer } = {},
  ): string {
    const [name = ''] = repository.split('/').slice(-1);
    const config = JSON.stringify({ name, version: tag.replaceAll('_', '+'), apiVersion: 'v1' });
    const layers = [this.addBlob(archive, chartType)];
    if (provenance) layers.unshift(this.addBlob(provenance, types.provenance));
    return this.addManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: this.addBlob(Buffer.from(config), types.config),
      layers,
    });
  }

  answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.hook?.(request, response)) return;
    const { authorization, host = '' } = request.headers;
    const url = new URL(request.url ?? '', `http://${host}`);
    if (url.pathname === '/service/token') this.#giveToken(authorization, response);
    else if (!this.#mayRead(authorization)) {
      const challenge =
        this.authentication === 'basic' ? 'Basic realm="harbor"' : this.challenge.replaceAll('HOST', host);
      response.writeHead(401, { 'www-authenticate': challenge }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    } else this.#read(url, response);
  };

  /** Without an account there is a token for what is public, as with Docker Hub; a wrong account is refused. */
  #giveToken(authorization: string | undefined, response: ServerResponse): void {
    if (authorization !== undefined && authorization !== this.account) {
      response.writeHead(401).end();
      return;
    }
    const token = `token-${this.#given++}`;
    if (authorization === this.account) this.tokens.add(token);
    response.end(JSON.stringify({ token, expires_in: 300 }));
  }

  #mayRead(authorization = ''): boolean {
    if (this.authentication === 'none') return true;
    if (this.authentication === 'basic') return authorization === this.account;
    return this.tokens.has(authorization.replace(/^Bearer /, ''));
  }

  #read(url: URL, response: ServerResponse): void {
    const [, repository = '', kind = '', place = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === 'tags') {
      this.#sendTags(repository, url, response);
      return;
    }
    if (kind === 'blobs' && this.blobsAt !== undefined) {
      response.writeHead(307, { location: `${this.blobsAt}/${place}?signature=s` }).end();
      return;
    }
    const bytes = kind === 'blobs' ? this.blobs.get(place) : this.manifests.get(`${repository} ${place}`);
    if (!bytes) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      return;
    }
    const type = kind === 'blobs' ? 'application/octet-stream' : types.manifest;
    response.writeHead(200, { 'content-type': type, 'docker-content-digest': digestOf(bytes) }).end(bytes);
  }

  #sendTags(repository: string, url: URL, response: ServerResponse): void {
    const all = this.tags.get(repository) ?? [];
    const start = all.indexOf(url.searchParams.get('last') ?? '') + 1;
    const tags = all.slice(start, start + this.pageSize);
    const more = start + tags.length < all.length;
    const next = `</v2/${repository}/tags/list?n=${this.pageSize}&last=${tags.at(-1)}>; rel="next"`;
    response.writeHead(200, more ? { link: next } : {}).end(JSON.stringify({ name: repository, tags }));
  }
}
