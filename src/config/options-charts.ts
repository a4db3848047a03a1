import { bytes, duration, flag, integer, list, type OptionGroup, path } from './option.ts';

/** Sources of charts, and the bounds on downloads. */
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
    needs: ['chart-repo'],
    summary: 'YAML file with the credentials of chart repositories, by name; read at every use.',
  }),
  chartDir: path({
    flag: 'chart-dir',
    summary:
      'Folder of charts, packed or not, that a chart_url may name by a path relative to it; nothing outside it is read.',
  }),
  keyring: path({
    flag: 'keyring',
    summary: 'OpenPGP public keys (binary or armored) that verify provenance files.',
  }),
  allow: list({
    flag: 'chart-allow',
    summary: 'Hosts that charts may come from although their addresses are refused by default.',
    placeholder: 'HOST|*.DOMAIN|CIDR',
  }),
  deny: list({
    flag: 'chart-deny',
    summary: 'Hosts that charts may not come from; overrides --chart-allow.',
    placeholder: 'HOST|*.DOMAIN|CIDR',
  }),
  allowLoopback: flag({
    flag: 'chart-allow-loopback',
    summary: "Allow charts from the gateway's own machine (127.0.0.0/8, ::1).",
  }),
  maxBytes: bytes({
    flag: 'chart-max-bytes',
    summary: 'Maximum size of a packed chart.',
    default: '20MiB',
    range: ['1KiB', '1GiB'],
  }),
  maxUnpackedBytes: bytes({
    flag: 'chart-max-unpacked-bytes',
    summary: 'Maximum size of an unpacked chart, with the archives inside it.',
    default: '64MiB',
    range: ['1KiB', '1GiB'],
  }),
  maxEntries: integer({
    flag: 'chart-max-files',
    summary: 'Maximum of files in a chart, with the archives inside it.',
    default: '10000',
    range: [1, 1_000_000],
  }),
  maxNestedArchives: integer({
    flag: 'chart-max-nesting',
    summary: 'Maximum depth of archives inside one another in a chart.',
    default: '8',
    range: [0, 32],
  }),
  timeoutMs: duration({
    flag: 'chart-timeout',
    summary: 'Time limit of one download: waiting in the queue, redirects and body together.',
    default: '30s',
    range: ['1ms', '1h'],
  }),
  maxRedirects: integer({
    flag: 'chart-max-redirects',
    summary: 'Maximum of redirects that a download follows.',
    default: '5',
    range: [0, 20],
  }),
  concurrency: integer({
    flag: 'chart-concurrency',
    summary: 'Maximum of concurrent downloads.',
    default: '8',
    range: [1, 1_000],
  }),
  maxWaiting: integer({
    flag: 'chart-max-waiting',
    summary: 'Maximum of queued downloads; further ones are answered 429.',
    default: '64',
    range: [0, 10_000],
  }),
  cacheBytes: bytes({
    flag: 'chart-cache-bytes',
    summary: 'Size of the download cache in memory; a cached download is revalidated, not fetched again.',
    default: '64MiB',
    range: ['0B', '16GiB'],
  }),
  indexMaxAgeMs: duration({
    flag: 'chart-index-max-age',
    needs: ['chart-repo'],
    summary: "Time for which a repository's index is used before it is revalidated.",
    default: '5m',
    range: ['0s', '24h'],
  }),
  indexMaxBytes: bytes({
    flag: 'chart-index-max-bytes',
    needs: ['chart-repo'],
    summary: "Maximum size of a repository's index.",
    default: '32MiB',
    range: ['1KiB', '1GiB'],
  }),
} satisfies OptionGroup;
