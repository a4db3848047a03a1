import { type Route, sendContent } from '../http/index.ts';
import { type ClusterRouteOptions, createClusterRoutes } from './cluster-routes.ts';
import { openApiRoute } from './openapi.ts';
import { createReleaseRoutes, type ReleaseRouteOptions } from './release-routes.ts';

export { forwardRoute } from './release-routes.ts';
export { createUpgradeFront } from './upgrade.ts';

export interface RestOptions extends ReleaseRouteOptions {
  /** The gateway's own version, for the pages that name it. */
  readonly version: string;
  /** Routes of others, such as `/healthz`, for the landing page and the OpenAPI document. */
  readonly pages: readonly Route[];
  /** Answers at `/` in place of the landing page. */
  readonly home?: Route | undefined;
  /** The routes over many clusters, where this gateway serves them. */
  readonly clusters?: Omit<ClusterRouteOptions, 'service'> | undefined;
}

/**
 * All routes: those of the contract, of the clusters, the pages of others, and the two that describe them.
 * @throws Error when the contract contradicts itself
 */
export function createRestRoutes({ version, pages, clusters, home, ...options }: RestOptions): Route[] {
  const releases = createReleaseRoutes(options);
  const others = [
    ...(clusters ? createClusterRoutes({ ...clusters, service: options.service }) : []),
    ...pages,
  ];
  const start = home ?? landingRoute([...releases, ...others], version);
  return [...releases, ...others, openApiRoute(releases, [...others, start], version), start];
}

/** A short plain page that says what this is and where to go on. Its links are relative, so that they work under any prefix. */
function landingRoute(routes: readonly Route[], version: string): Route {
  const links = routes
    .filter(({ verbs, template, isLive }) => verbs.includes('GET') && !template.includes('{') && !isLive)
    .map(({ template }) => template.slice(1));
  const rows = routes.map(({ verbs, template, summary }) => {
    const cells = [verbs.join(' '), `<code>${escapeHtml(template)}</code>`, escapeHtml(summary)];
    return `<tr><td>${cells.join('</td><td>')}</td></tr>`;
  });
  const body = Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>tiller-gateway</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td{padding:.2rem .8rem .2rem 0;vertical-align:top}</style>
<h1>tiller-gateway ${escapeHtml(version)}</h1>
<p>Helm 2 releases over HTTP/JSON and gRPC, on this one port.</p>
<ul>
${[...links, 'openapi.json'].map(link => `<li><a href="${link}">${link}</a></li>`).join('\n')}
</ul>
<table>
${rows.join('\n')}
</table>
</html>
`);
  return {
    template: '/',
    verbs: ['GET'],
    summary: 'A page for people, with links.',
    answer: exchange => sendContent(exchange, { status: 200, type: 'text/html; charset=utf-8', body }),
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}
