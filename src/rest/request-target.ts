/**
 * The path and query of a request's target. One with scheme and authority, as clients send it to a proxy and every server
 * has to take it, loses both: this program serves one host. Source: RFC 9112, 3.2.2
 */
export function originForm(target: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
