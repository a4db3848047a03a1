import { bytes, duration, flag, integer, list, type OptionGroup, path } from '../option.ts';

/** Where charts may come from, and the bounds on fetching them. */
export const chartOptions = {
  repositories: list(
    {
      flag: 'chart-repo',
      summary: 'A chart repository; NAME/CHART in a chart_url is a chart in it.',
      placeholder: 'NAME=URL',
    },
    {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*=https?:\/\/[^@]+$/,
      expected: 'NAME=URL such as stable=https://charts.example.com, without user info',
    },
  ),
  repositoryCredentialsFile: path({
    flag: 'chart-repo-credentials',
    summary: 'YAML file with the credentials of chart repositories, by name; read whenever one is asked.',
  }),
  chartDir: path({
    flag: 'chart-dir',
    summary:
      'Folder of charts, packed or not, that a chart_url may name by path; nothing outside it is read.',
  }),
  keyring: path({
    flag: 'keyring',
    summary: 'OpenPGP public keys (binary or armored) that provenance files are checked against.',
  }),
  allow: list({
    flag: 'chart-allow',
    summary: 'Hosts that charts may come from although their addresses are refused otherwise.',
    placeholder: 'HOST|*.DOMAIN|CIDR',
  }),
  deny: list({
    flag: 'chart-deny',
    summary: 'Hosts that charts may not come from; stronger than --chart-allow.',
    placeholder: 'HOST|*.DOMAIN|CIDR',
  }),
  allowLoopback: flag({
    flag: 'chart-allow-loopback',
    summary: "Let charts come from the gateway's own machine (127.0.0.0/8, ::1).",
  }),
  maxBytes: bytes(
    { flag: 'chart-max-bytes', summary: 'A packed chart; a larger one is refused.', default: '20MiB' },
    { min: '1KiB', max: '1GiB' },
  ),
  maxUnpackedBytes: bytes(
    {
      flag: 'chart-max-unpacked-bytes',
      summary: 'A chart when unpacked, the archives inside it included.',
      default: '64MiB',
    },
    { min: '1KiB', max: '1GiB' },
  ),
  maxEntries: integer(
    {
      flag: 'chart-max-files',
      summary: 'Files of a chart, those of the archives inside it included.',
      default: '10000',
    },
    { min: 1, max: 1_000_000 },
  ),
  maxNestedArchives: integer(
    { flag: 'chart-max-nesting', summary: 'Archives inside one another in a chart.', default: '8' },
    { min: 0, max: 32 },
  ),
  timeoutMs: duration(
    {
      flag: 'chart-timeout',
      summary: 'One download: waiting for its turn, redirects and body together.',
      default: '30s',
    },
    { min: '1ms', max: '1h' },
  ),
  maxRedirects: integer(
    { flag: 'chart-max-redirects', summary: 'Redirects that a download follows.', default: '5' },
    { min: 0, max: 20 },
  ),
  concurrency: integer(
    { flag: 'chart-concurrency', summary: 'Downloads at the same time.', default: '8' },
    { min: 1, max: 1_000 },
  ),
  maxWaiting: integer(
    {
      flag: 'chart-max-waiting',
      summary: 'Downloads that may wait for their turn; more are answered 429.',
      default: '64',
    },
    { min: 0, max: 10_000 },
  ),
  cacheBytes: bytes(
    {
      flag: 'chart-cache-bytes',
      summary: 'Downloads kept in memory, so that they are asked about and not fetched again.',
      default: '64MiB',
    },
    { min: '0B', max: '16GiB' },
  ),
  indexMaxAgeMs: duration(
    {
      flag: 'chart-index-max-age',
      summary: "How long a repository's index is used before it is asked whether it still holds.",
      default: '5m',
    },
    { min: '0s', max: '24h' },
  ),
  indexMaxBytes: bytes(
    { flag: 'chart-index-max-bytes', summary: "A repository's index.", default: '32MiB' },
    { min: '1KiB', max: '1GiB' },
  ),
} satisfies OptionGroup;
