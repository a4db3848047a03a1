/**
 * The type of an option, and one function per kind that makes one. The tables (`options-*.ts`) are plain data made by
 * these functions; flags, environment, file, help, docs/flags.md and the type `Config` are all derived from them.
 */
import { localPath } from '../protocol/index.ts';
import {
  formatBytes,
  formatDuration,
  formatListenAddress,
  type ListenAddress,
  maskUrlCredentials,
  parseBytes,
  parseDuration,
  parseListenAddress,
} from './units.ts';

/** Conditions without which some options have no effect, and the flags that meet them; `config.ts` says when each holds. */
export const needs = {
  'adhoc-clusters': '--allow-adhoc-clusters',
  certificate: '--tls-cert-file',
  'chart-upload-dir': '--chart-upload-dir',
  'client-ca': '--tls-ca-file',
  'client-certificate': '--tiller-client-cert-file',
  'client-key': '--tiller-client-private-key-file',
  'client-verification': '--tls-client-auth optional or required',
  clusters: '--clusters, --kube-contexts or --allow-adhoc-clusters',
  cors: '--enable-cors',
  'cors-hosts': '--cors-origin-host other than *',
  direct: '--connector direct',
  'helm-wrapper': '--dialects helm-wrapper or --compat helm-wrapper',
  kubeconfig: '--connector kubeconfig',
  'kubeconfig-reader': '--connector kubeconfig, --clusters or --kube-contexts',
  kubernetes: '--connector incluster or kubeconfig',
  'kubernetes-api': '--connector incluster, kubeconfig or sandbox, --clusters or --kube-contexts',
  'listed-clusters': '--clusters or --kube-contexts',
  'private-key': '--tls-private-key-file',
  records: '--reads auto or records',
  'records-helm3': '--records helm3',
  sandbox: '--connector sandbox',
  tiller: '--connector incluster, kubeconfig or direct',
  'tiller-tls': '--tiller-ca-file, --tiller-client-cert-file or an https:// or tls:// --tiller-endpoint',
} as const;

export type Need = keyof typeof needs;

/** One option of any kind. `T` is the type of its value in `Config`. */
export interface Option<T = unknown> {
  /** The flag without its dashes: `drain-timeout`. */
  readonly flag: string;
  /** Other names of the same flag, for compatibility with swift. */
  readonly aliases: readonly string[];
  /** One sentence for help and README. */
  readonly summary: string;
  /** Stands for the value in help: `DURATION`, `a|b`; empty for a boolean. */
  readonly placeholder: string;
  /** The values that it accepts, in words; empty where the placeholder says it all. */
  readonly range: string;
  /** The default as one would type it; absent where the option is simply not set. */
  readonly default: string | undefined;
  /** The default in words, where it depends on the surroundings. */
  readonly defaultWords: string | undefined;
  /** The value is masked wherever the configuration is shown, and left out of error messages. */
  readonly secret: boolean;
  /** May be given several times; one text may also hold several values with commas between. */
  readonly repeatable: boolean;
  /** Read from the command line only. */
  readonly flagOnly: boolean;
  /** A value other than the default has an effect only where all of these hold, and is refused otherwise. */
  readonly needs: readonly Need[];
  /** A value that asks for nothing, beside the default. */
  readonly off: string | undefined;
  /** Where `needs` do not hold the value is ignored with a warning, since swift's Deployments set it. */
  readonly lenient: boolean;
  /** A flag of swift without use here: it is accepted, with a warning that says this. */
  readonly compatibility: string | undefined;
  /** Reads the texts given: one that is not empty, or, where repeatable, any. Throws an Error with the reason. */
  read(texts: readonly string[]): T;
  /** A set value in the form in which it could be typed. */
  show(value: NonNullable<T>): string | readonly string[];
}

/**
 * The parts of an option that every kind may have, beside its flag and its summary. The default is written as text and
 * read like any other.
 */
export type Spec = Partial<Omit<Option, 'flag' | 'summary' | 'range' | 'repeatable' | 'read' | 'show'>>;

/** What an option of any kind begins with. */
type Parts<S> = readonly [flag: string, summary: string, spec?: S];

/** Without a default the value may be absent. */
type Given<S extends Spec, T> = S extends { readonly default: string } ? T : T | undefined;

/** Yes or no. `--name`, `--name=false`, `--no-name`. Off unless its default is `true`. */
export function flag(name: string, summary: string, spec: Spec = {}): Option<boolean> {
  const withDefault = { ...spec, default: spec.default ?? 'false' };
  return single([name, summary, withDefault], '', 'true or false', String, parseBoolean);
}

/** Any text that is not empty. `pattern` with `expected` narrows it: `expected a name such as …`. */
export function text<const S extends Spec>(
  name: string,
  summary: string,
  spec?: S,
  rule?: { readonly pattern: RegExp; readonly expected: string },
): Option<Given<S, string>> {
  return single([name, summary, spec], 'TEXT', rule?.expected ?? '', String, value => {
    if (rule && !rule.pattern.test(value)) throw new Error(`expected ${rule.expected}`);
    return value;
  });
}

/** The path of a file or folder. Nothing is opened here. */
export function path<const S extends Spec>(...parts: Parts<S>): Option<Given<S, string>> {
  return single(parts, 'PATH', '', String, text => (text === '' ? text : localPath(text)));
}

/** An option with the least and the greatest value that it takes, in its own notation. */
type Ranged<T> = Spec & { readonly range: readonly [min: T, max: T] };

/** A whole number. */
export function integer<const S extends Ranged<number>>(
  ...parts: Required<Parts<S>>
): Option<Given<S, number>> {
  const parse = (value: string) => {
    if (!/^[+-]?\d+$/.test(value)) throw new Error(`${JSON.stringify(value)} is not a whole number`);
    return Number(value);
  };
  return ranged(parts, 'N', String, parse);
}

/** A span of time, in milliseconds in `Config`. */
export function duration<const S extends Ranged<string>>(
  ...parts: Required<Parts<S>>
): Option<Given<S, number>> {
  return ranged(parts, 'DURATION', formatDuration, parseDuration);
}

/** A size in bytes. */
export function bytes<const S extends Ranged<string>>(
  ...parts: Required<Parts<S>>
): Option<Given<S, number>> {
  return ranged(parts, 'SIZE', formatBytes, parseBytes);
}

function ranged<S extends Ranged<string | number>>(
  parts: Required<Parts<S>>,
  placeholder: string,
  format: (value: number) => string,
  parse: (value: string) => number,
): Option<Given<S, number>> {
  const [min, max] = parts[2].range.map(String);
  const words = `${min} to ${max}`;
  return single(parts, placeholder, words, format, text => {
    const value = parse(text);
    if (value < parse(min!) || value > parse(max!)) throw new Error(`${format(value)} is not in ${words}`);
    return value;
  });
}

/** One of a few words. */
export function choice<const S extends Spec, const W extends readonly string[]>(
  name: string,
  summary: string,
  words: W,
  spec?: S,
): Option<Given<S, W[number]>> {
  return single([name, summary, spec], words.join('|'), '', String, value => {
    if (!words.includes(value)) throw new Error(`${JSON.stringify(value)} is none of ${words.join(', ')}`);
    return value as W[number];
  });
}

/** `host:port` to listen on. */
export function listenAddress<const S extends Spec>(...parts: Parts<S>): Option<Given<S, ListenAddress>> {
  return single(parts, 'HOST:PORT', '', formatListenAddress, parseListenAddress);
}

/** Several texts: the flag repeated, or commas in one value; in the file a YAML list. Empty unless it has a default. */
export function list(
  name: string,
  summary: string,
  spec: Spec = {},
  rule?: { readonly pattern: RegExp; readonly expected: string },
): Option<readonly string[]> {
  return {
    ...common(name, summary, { default: '', placeholder: 'TEXT', ...spec }),
    range: rule ? `${rule.expected}; repeatable` : 'repeatable',
    repeatable: true,
    read: texts => {
      const items = texts
        .flatMap(value => value.split(',').map(item => item.trim()))
        .filter(item => item !== '');
      const wrong = rule && items.find(item => !rule.pattern.test(item));
      if (wrong !== undefined) {
        const got = spec.secret ? '' : `, got ${JSON.stringify(maskUrlCredentials(wrong))}`;
        throw new Error(`expected ${rule?.expected}${got}`);
      }
      return items;
    },
    show: items => items,
  };
}

function common(flag: string, summary: string, spec: Spec): Omit<Option, 'read' | 'show' | 'range'> {
  const unset = { aliases: [], needs: [], placeholder: '', default: undefined, defaultWords: undefined };
  const no = { secret: false, repeatable: false, flagOnly: false, lenient: false };
  return { flag, summary, ...unset, ...no, off: undefined, compatibility: undefined, ...spec };
}

/** An option with one value: its default is read now, so that a wrong one in a table fails every test at once. */
function single<S extends Spec, T>(
  [name, summary, spec]: readonly [flag: string, summary: string, spec?: S | undefined],
  placeholder: string,
  range: string,
  show: (value: T) => string,
  parse: (value: string) => T,
): Option<Given<S, T>> {
  if (spec?.default !== undefined) parse(spec.default);
  const option = {
    ...common(name, summary, { placeholder, ...spec }),
    range,
    read: ([value = '']: readonly string[]) => parse(value),
    show,
  };
  return option as Option<T> as Option<Given<S, T>>;
}

function parseBoolean(value: string): boolean {
  const lower = value.toLowerCase();
  if (['true', '1', 't', 'yes', 'on'].includes(lower)) return true;
  if (['false', '0', 'f', 'no', 'off'].includes(lower)) return false;
  throw new Error(`${JSON.stringify(value)} is neither true nor false`);
}

/** A table of options by their names in `Config`. */
export type OptionGroup = Readonly<Record<string, Option>>;

export type ValuesOf<G> = { readonly [K in keyof G]: G[K] extends Option<infer T> ? T : never };
