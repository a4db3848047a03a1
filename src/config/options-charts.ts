import { bytes, duration, flag, integer, list, type OptionGroup, path } from './option.ts';

/** Sources of charts, and the bounds on downloads. */
export const chartOptions = {
  repositories: list(
    'chart-repo',
    'A chart repository; NAME/CHART in a chart_url is a chart in it.',
    { placeholder: 'NAME=URL' },
    {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*=https?:\/\/[^@]+$/,
      expected: 'NAME=URL such as stable=https://charts.example.com, without user info',
    },
  ),
  repositoryCredentialsFile: path(
    'chart-repo-credentials',
    'YAML file with the credentials of chart repositories, by name, and of OCI registries, by oci://HOST; read at every use.',
  ),
  repositoryFile: path(
    'chart-repo-file',
    'YAML file that keeps the chart repositories added by API, with their credentials; several gateways may share it. Without it they are kept in memory and gone after a restart.',
  ),
  chartDir: path(
    'chart-dir',
    'Folder of charts, packed or not, that a chart_url may name by a path relative to it; nothing outside it is read.',
  ),
  uploadDir: path(
    'chart-upload-dir',
    'Folder that uploaded charts are kept in; gateways may share it. Without it uploads are off.',
  ),
  maxUploads: integer('chart-max-uploads', 'Maximum of uploaded charts, each version counted.', {
    needs: ['chart-upload-dir'],
    default: '1000',
    range: [1, 10_000],
  }),
  maxUploadBytes: bytes('chart-max-upload-bytes', 'Maximum size of all uploaded charts together.', {
    needs: ['chart-upload-dir'],
    default: '1GiB',
    range: ['1KiB', '1024GiB'],
  }),
  keyring: path('keyring', 'OpenPGP public keys (binary or armored) that verify provenance files.'),
  allow: list(
    'chart-allow',
    'Hosts that charts may come from although their addresses are refused by default.',
    { placeholder: 'HOST|*.DOMAIN|CIDR' },
  ),
  deny: list('chart-deny', 'Hosts that charts may not come from; overrides --chart-allow.', {
    placeholder: 'HOST|*.DOMAIN|CIDR',
  }),
  allowLoopback: flag(
    'chart-allow-loopback',
    "Allow charts from the gateway's own machine (127.0.0.0/8, ::1).",
  ),
  maxBytes: bytes('chart-max-bytes', 'Maximum size of a packed chart.', {
    default: '20MiB',
    range: ['1KiB', '1GiB'],
  }),
  maxUnpackedBytes: bytes(
    'chart-max-unpacked-bytes',
    'Maximum size of an unpacked chart, with the archives inside it.',
    { default: '64MiB', range: ['1KiB', '1GiB'] },
  ),
  maxEntries: integer('chart-max-files', 'Maximum of files in a chart, with the archives inside it.', {
    default: '10000',
    range: [1, 1_000_000],
  }),
  maxNestedArchives: integer(
    'chart-max-nesting',
    'Maximum depth of archives inside one another in a chart.',
    { default: '8', range: [0, 32] },
  ),
  timeoutMs: duration(
    'chart-timeout',
    'Time limit of one download: waiting in the queue, redirects and body together.',
    { default: '30s', range: ['1ms', '1h'] },
  ),
  maxRedirects: integer('chart-max-redirects', 'Maximum of redirects that a download follows.', {
    default: '5',
    range: [0, 20],
  }),
  concurrency: integer('chart-concurrency', 'Maximum of concurrent downloads.', {
    default: '8',
    range: [1, 1_000],
  }),
  maxWaiting: integer('chart-max-waiting', 'Maximum of queued downloads; further ones are answered 429.', {
    default: '64',
    range: [0, 10_000],
  }),
  cacheBytes: bytes(
    'chart-cache-bytes',
    'Size of the download cache in memory; a cached download is revalidated, not fetched again.',
    { default: '64MiB', range: ['0B', '16GiB'] },
  ),
  indexMaxAgeMs: duration(
    'chart-index-max-age',
    "Time for which a repository's index is used before it is revalidated.",
    { default: '5m', range: ['0s', '24h'] },
  ),
  indexMaxBytes: bytes('chart-index-max-bytes', "Maximum size of a repository's index.", {
    default: '32MiB',
    range: ['1KiB', '1GiB'],
  }),
  indexesMaxBytes: bytes(
    'chart-indexes-max-bytes',
    "Maximum size of all repositories' indexes together, as text; for one of --chart-repo, those of added repositories make room.",
    { default: '128MiB', range: ['1KiB', '4GiB'] },
  ),
} satisfies OptionGroup;
