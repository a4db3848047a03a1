/**
 * Every option of the program, by group.
 *
 * To add one: put a line into the table of its group (a new group needs a line below as well), such as
 *
 *     cacheBytes: bytes(
 *       { flag: 'chart-cache', summary: 'One sentence.', default: '64MiB' },
 *       { min: '0B', max: '4GiB' },
 *     ),
 *
 * The key is the name in `Config` (`config.charts.cacheBytes`) and carries the unit: `…Ms` for durations, `…Bytes` for
 * sizes. The kinds are the functions of `../option.ts`: `flag` (boolean), `text`, `path`, `integer`, `duration`,
 * `bytes`, `choice`, `listenAddress`, `list` (repeatable). Without a `default` the value is `undefined` until given
 * (a list is empty). `secret: true` masks it; `aliases` are other names. Flag, environment variable
 * (`TILLER_GATEWAY_CHART_CACHE`), `--config` file, `--help`, the type `Config` and the README's table follow by
 * themselves (`npm run generate` for the latter). What holds between several options is a rule in `../rules.ts`.
 */
import type { Option, OptionGroup } from '../option.ts';
import { chartOptions } from './charts.ts';
import { clusterOptions } from './clusters.ts';
import { kubernetesOptions } from './kubernetes.ts';
import { limitOptions } from './limits.ts';
import { listenerOptions } from './listener.ts';
import { observeOptions } from './observe.ts';
import { programOptions } from './program.ts';
import { restOptions } from './rest.ts';
import { sandboxOptions } from './sandbox.ts';
import { tillerOptions } from './tiller.ts';
import { tlsOptions } from './tls.ts';

export const optionGroups = {
  program: programOptions,
  listener: listenerOptions,
  tls: tlsOptions,
  limits: limitOptions,
  tiller: tillerOptions,
  kubernetes: kubernetesOptions,
  clusters: clusterOptions,
  charts: chartOptions,
  rest: restOptions,
  observe: observeOptions,
  sandbox: sandboxOptions,
} as const satisfies Record<string, OptionGroup>;

/** The groups' headings in help and README. */
export const groupTitles: { readonly [G in keyof typeof optionGroups]: string } = {
  program: 'The command',
  listener: 'Listening',
  tls: 'TLS towards clients',
  limits: 'Limits',
  tiller: 'Tiller',
  kubernetes: 'Kubernetes',
  clusters: 'Many clusters',
  charts: 'Charts',
  rest: 'HTTP/JSON',
  observe: 'Logs',
  sandbox: 'Sandbox',
};

/** An option with where its value goes in `Config`. */
export interface PlacedOption {
  readonly group: keyof typeof optionGroups;
  readonly key: string;
  readonly option: Option<unknown>;
}

export const allOptions: readonly PlacedOption[] = Object.entries(optionGroups).flatMap(([group, table]) =>
  Object.entries(table as OptionGroup).map(([key, option]) => ({
    group: group as keyof typeof optionGroups,
    key,
    option,
  })),
);
