import { flag, list } from '../option.ts';

/** The HTTP/JSON side. */
export const restOptions = {
  disableGetRollback: flag({
    flag: 'disable-get-rollback',
    summary: 'Refuse the rollback by GET that swift offered; POST and PUT stay.',
  }),
  enableCors: flag({ flag: 'enable-cors', summary: 'Let pages of other origins call the API (CORS).' }),
  corsOriginHosts: list(
    {
      flag: 'cors-origin-host',
      summary: 'Hosts, with their port if it is not the default one, whose pages may call the API; * is any.',
      placeholder: 'HOST[:PORT]',
      default: '*',
    },
    {
      pattern: /^(?:\*|[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)$/,
      expected: 'host[:port] or *',
    },
  ),
  corsOriginAllowSubdomain: flag({
    flag: 'cors-origin-allow-subdomain',
    summary: 'Let pages of subdomains of the CORS hosts in too.',
  }),
};
