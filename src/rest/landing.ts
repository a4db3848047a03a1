import type { Page } from './page.ts';
import type { Route } from './router.ts';

/** Links that a browser can follow: GET routes without a name to fill in. Relative, so that they work under any prefix. */
function links(routes: readonly Route[]): string[] {
  return routes
    .filter(({ binding }) => binding.verb === 'GET' && !binding.path.includes('{'))
    .map(({ binding }) => binding.path.slice(1));
}

/** A short plain page that says what this is and where to go on. */
export function landingPage(routes: readonly Route[], version: string): Page {
  const list = [...links(routes), 'openapi.json', 'healthz', 'readyz', 'metrics'];
  const rows = routes.map(({ binding, method }) => {
    const summary = method.contract.comment.split('\n')[0] ?? '';
    return `<tr><td>${binding.verb}</td><td><code>${escapeHtml(binding.path)}</code></td><td>${escapeHtml(summary)}</td></tr>`;
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
${list.map(link => `<li><a href="${link}">${link}</a></li>`).join('\n')}
</ul>
<table>
${rows.join('\n')}
</table>
</html>
`);
  return () => ({ status: 200, type: 'text/html; charset=utf-8', body });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}
