/**
 * Every option of the program, by group.
 *
 * To add one: put a line into the table of its group (a new group needs a line below as well), such as
 *
 *     cacheBytes: bytes({ flag: 'chart-cache', summary: 'One sentence.', default: '64MiB', range: ['0B', '4GiB'] }),
 *
 * The key is the name in `Config` (`config.charts.cacheBytes`) and carries the unit: `…Ms` for durations, `…Bytes` for
 * sizes. The kinds are the functions of `option.ts`: `flag` (boolean), `text`, `path`, `integer`, `duration`,
 * `bytes`, `choice`, `listenAddress`, `list` (repeatable). Without a `default` the value is `undefined` until given
 * (a list is empty). `secret: true` masks it; `aliases` are other names. Flag, environment variable
 * (`TILLER_GATEWAY_CHART_CACHE`), `--config` file, `--help`, the type `Config` and docs/flags.md are derived from it
 * (`npm run generate` for the latter). An option that has an effect only with another one names it in `needs`; the
 * conditions are in `config.ts`, with the few other rules between options.
 */
import type { Option, OptionGroup } from './option.ts';
import { chartOptions } from './options-charts.ts';
import {
  limitOptions,
  listenerOptions,
  observeOptions,
  programOptions,
  restOptions,
  tlsOptions,
} from './options-serving.ts';
import { swiftOptions } from './options-swift.ts';
import { clusterOptions, kubernetesOptions, sandboxOptions, tillerOptions } from './options-tiller.ts';

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
  swift: swiftOptions,
} as const satisfies Record<string, OptionGroup>;

/** The groups' headings in help and docs/flags.md. */
export const groupTitles: { readonly [G in keyof typeof optionGroups]: string } = {
  program: 'The command',
  listener: 'Listening',
  tls: 'TLS to clients',
  limits: 'Limits',
  tiller: 'Tiller',
  kubernetes: 'Kubernetes',
  clusters: 'Many clusters',
  charts: 'Charts',
  rest: 'HTTP/JSON',
  observe: 'Logs',
  sandbox: 'Sandbox',
  swift: "Swift's flags, accepted with a warning",
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
