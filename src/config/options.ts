/**
 * Every option of the program, by group.
 *
 * To add one: put a line into the table of its group (a new group needs a line below as well), such as
 *
 *     cacheBytes: bytes('chart-cache', 'One sentence.', { default: '64MiB', range: ['0B', '4GiB'] }),
 *
 * The key is the name in `Config` (`config.charts.cacheBytes`) and carries the unit: `…Ms` for durations, `…Bytes` for
 * sizes. The kinds are the functions of `option.ts`: `flag` (boolean), `text`, `path`, `integer`, `duration`,
 * `bytes`, `choice`, `listenAddress`, `list` (repeatable). Without a `default` the value is `undefined` until given
 * (a list is empty). `secret: true` masks it; `aliases` are other names. Flag, environment variable
 * (`TILLER_GATEWAY_CHART_CACHE`), `--config` file, `--help`, the type `Config` and docs/flags.md are derived from it
 * (`npm run generate` for the latter). An option that has an effect only with another one names it in `needs`; the
 * conditions are in `config.ts`, with the few other rules between options.
 */
import { flag, integer, type Option, type OptionGroup, type Spec, text } from './option.ts';
import { chartOptions } from './options-charts.ts';
import {
  dialectOptions,
  limitOptions,
  listenerOptions,
  liveOptions,
  observeOptions,
  programOptions,
  restOptions,
  tlsOptions,
} from './options-serving.ts';
import {
  clusterOptions,
  kubernetesOptions,
  recordOptions,
  sandboxOptions,
  tillerOptions,
} from './options-tiller.ts';

/** The parts of a flag that changes nothing: help and the warning say the same of it. */
function unused(name: string, reason: string, placeholder = ''): [name: string, summary: string, spec: Spec] {
  // glog spells some of its flags with underscores
  const aliases = name.includes('_') ? [name.replaceAll('_', '-')] : [];
  return [name, `No effect: ${reason}.`, { placeholder, aliases, compatibility: `no effect: ${reason}` }];
}

const toStandardOutput = 'logs go to standard output, by --log-level and --log-format';

/**
 * Flags of swift and of its logger (glog), with which its Deployments start it. Each is accepted with one warning that
 * says what it does here.
 */
export const swiftOptions = {
  verbosity: integer('v', "Swift's log verbosity: 4 or more is --log-level debug, less has no effect.", {
    default: '0',
    compatibility: '4 or more is --log-level debug, less has no effect',
    // glog's level is an int32, and lines of level 0 are always written
    range: [-(2 ** 31), 2 ** 31 - 1],
  }),
  analytics: flag(...unused('enable-analytics', 'this program has no analytics')),
  apiDomain: text(...unused('api-domain', 'requests are not served by domain', 'DOMAIN')),
  logToStderr: flag(...unused('logtostderr', toStandardOutput)),
  alsoLogToStderr: flag(...unused('alsologtostderr', toStandardOutput)),
  stderrThreshold: text(...unused('stderrthreshold', toStandardOutput, 'SEVERITY')),
  logDir: text(...unused('log_dir', toStandardOutput, 'PATH')),
  logBacktraceAt: text(
    ...unused('log_backtrace_at', 'faults are always logged with their stack', 'FILE:LINE'),
  ),
  logFlushFrequency: text(...unused('log-flush-frequency', 'every line is written at once', 'DURATION')),
  verbosityByModule: text(...unused('vmodule', '--log-level is one for all modules', 'PATTERN=N')),
} satisfies OptionGroup;

/** A group of options, and its heading in help and docs/flags.md. */
const group = <G extends OptionGroup>(title: string, options: G) => ({ title, options });

export const optionGroups = {
  program: group('The command', programOptions),
  listener: group('Listening', listenerOptions),
  tls: group('TLS to clients', tlsOptions),
  limits: group('Limits', limitOptions),
  tiller: group('Tiller', tillerOptions),
  kubernetes: group('Kubernetes', kubernetesOptions),
  records: group('Release records', recordOptions),
  clusters: group('Many clusters', clusterOptions),
  charts: group('Charts', chartOptions),
  rest: group('HTTP/JSON', restOptions),
  dialects: group('Other APIs', dialectOptions),
  live: group('Streams of changes', liveOptions),
  observe: group('Logs', observeOptions),
  sandbox: group('Sandbox', sandboxOptions),
  swift: group("Swift's flags, accepted with a warning", swiftOptions),
};

/** An option with where its value goes in `Config`. */
export interface PlacedOption {
  readonly group: keyof typeof optionGroups;
  readonly key: string;
  readonly option: Option;
}

export const allOptions: readonly PlacedOption[] = Object.entries(optionGroups).flatMap(
  ([name, { options }]) =>
    Object.entries<Option>(options).map(([key, option]) => ({
      group: name as PlacedOption['group'],
      key,
      option,
    })),
);
