import { existsSync } from 'node:fs';
import { invalidArgument } from '../protocol/index.ts';
import { type CommandLine, fromHelmWrapper, isHelmWrapper } from './helm-wrapper.ts';
import { type Need, needs, type ValuesOf } from './option.ts';
import { allOptions, optionGroups } from './options.ts';
import { readEnvironment, readFileSettings, readFlags, type Setting } from './read-settings.ts';
import type { ListenAddress } from './units.ts';

/** The options' values as they were given, by group, defaults filled in. */
export type GivenConfig = {
  readonly [G in keyof typeof optionGroups]: ValuesOf<(typeof optionGroups)[G]['options']>;
};

/** An option whose default depends on the surroundings, after it has been decided. */
type Decided<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };

/** The whole configuration, complete. Its shape is that of the option tables. */
export type Config = Omit<GivenConfig, 'listener' | 'tiller' | 'tls' | 'observe'> & {
  readonly listener: Decided<GivenConfig['listener'], 'addr'>;
  readonly tiller: Decided<GivenConfig['tiller'], 'connector'>;
  readonly tls: Decided<GivenConfig['tls'], 'clientAuth'>;
  readonly observe: Decided<GivenConfig['observe'], 'logLevel'>;
};

/** Where the process runs. */
export interface Surroundings {
  /** In a pod of Kubernetes, whose address others reach. */
  readonly inPod: boolean;
  /** With the token of a service account, which the connector incluster needs. */
  readonly hasServiceAccount: boolean;
}

/** Fills in the defaults that depend on the surroundings or on other options. */
export function completeConfig(given: GivenConfig, { inPod, hasServiceAccount }: Surroundings): Config {
  const { listener, tls, tiller, observe, swift, dialects, clusters } = given;
  const connector = tiller.connector ?? defaultConnector(given, hasServiceAccount);
  const isHelmWrapper = dialects.compat === 'helm-wrapper';
  // every context of the kubeconfig can be named by a request, as for helm-wrapper
  const servesContexts = isHelmWrapper && connector === 'kubeconfig' && !listsClusters(clusters);
  return {
    ...given,
    dialects: isHelmWrapper ? { ...dialects, names: ['helm-wrapper'] } : dialects,
    clusters: servesContexts ? { ...clusters, kubeContexts: ['all'] } : clusters,
    listener: { ...listener, addr: listener.addr ?? defaultAddress(inPod) },
    tiller: { ...tiller, connector },
    tls: { ...tls, clientAuth: tls.clientAuth ?? (tls.caFile ? 'optional' : 'none') },
    observe: { ...observe, logLevel: observe.logLevel ?? (swift.verbosity >= 4 ? 'debug' : 'info') },
  };
}

function defaultConnector(
  { tiller, kubernetes, clusters, dialects }: GivenConfig,
  hasServiceAccount: boolean,
): Config['tiller']['connector'] {
  if (tiller.endpoint !== undefined) return 'direct';
  if (kubernetes.kubeconfig !== undefined || kubernetes.context !== undefined) return 'kubeconfig';
  if (hasServiceAccount) return 'incluster';
  return servesClusters(clusters) || dialects.compat ? 'kubeconfig' : 'sandbox';
}

/** Whoever reaches the port may do everything: on a workstation nobody else should without being let in. */
function defaultAddress(inPod: boolean): ListenAddress {
  return { host: inPod ? undefined : '127.0.0.1', port: 9855 };
}

/** Whether there are clusters beside the gateway's own Tiller: the hub is loaded for them, and only for them. */
export function servesClusters(clusters: GivenConfig['clusters']): boolean {
  return listsClusters(clusters) || clusters.allowAdhoc.length > 0;
}

function listsClusters({ file, kubeContexts }: GivenConfig['clusters']): boolean {
  return file !== undefined || kubeContexts.length > 0;
}

const isMet: Readonly<Record<Need, (config: Config) => boolean>> = {
  certificate: ({ tls }) => tls.certFile !== undefined,
  'private-key': ({ tls }) => tls.privateKeyFile !== undefined,
  'client-ca': ({ tls }) => tls.caFile !== undefined,
  'client-verification': ({ tls }) => tls.clientAuth !== 'none',
  'helm-wrapper': ({ dialects }) => dialects.names.includes('helm-wrapper'),
  direct: ({ tiller }) => tiller.connector === 'direct',
  kubeconfig: ({ tiller }) => tiller.connector === 'kubeconfig',
  'kubeconfig-reader': ({ tiller, clusters }) =>
    tiller.connector === 'kubeconfig' || servesClusters(clusters),
  kubernetes: ({ tiller }) => tiller.connector === 'incluster' || tiller.connector === 'kubeconfig',
  'kubernetes-api': ({ tiller, clusters }) => tiller.connector !== 'direct' || servesClusters(clusters),
  records: ({ records }) => records.reads !== 'tiller',
  'records-helm3': ({ records }) => records.storages.includes('helm3'),
  sandbox: ({ tiller }) => tiller.connector === 'sandbox',
  tiller: ({ tiller }) => tiller.connector !== 'sandbox',
  'tiller-tls': ({ tiller }) =>
    tiller.caFile !== undefined ||
    tiller.clientCertFile !== undefined ||
    /^(?:https|tls):\/\//i.test(tiller.endpoint ?? ''),
  'client-certificate': ({ tiller }) => tiller.clientCertFile !== undefined,
  'client-key': ({ tiller }) => tiller.clientPrivateKeyFile !== undefined,
  clusters: ({ clusters }) => servesClusters(clusters),
  'listed-clusters': ({ clusters }) => listsClusters(clusters),
  'adhoc-clusters': ({ clusters }) => clusters.allowAdhoc.length > 0,
  'chart-upload-dir': ({ charts }) => charts.uploadDir !== undefined,
  cors: ({ rest }) => rest.enableCors,
  'cors-hosts': ({ rest }) => !rest.corsOriginHosts.includes('*'),
};

/**
 * Checks the rules between options.
 * @param where names each given option to the user, by flag: `--addr`, `TILLER_GATEWAY_ADDR`
 * @returns what must be mended, and what is ignored or only there for compatibility
 */
export function checkConfig(
  config: Config,
  where: ReadonlyMap<string, string>,
): { readonly mistakes: string[]; readonly warnings: string[] } {
  const mistakes: string[] = [];
  const warnings: string[] = [];
  for (const { group, key, option } of allOptions) {
    const name = where.get(option.flag);
    if (name === undefined) continue;
    if (option.compatibility !== undefined) warnings.push(`${name}: ${option.compatibility}`);
    const value = (config[group] as Readonly<Record<string, unknown>>)[key];
    if (value === undefined || value === null) continue;
    if (String(option.show(value)) === (option.default ?? option.off)) continue;
    const missing = option.needs.filter(need => !isMet[need](config)).map(need => needs[need]);
    if (missing.length === 0) continue;
    if (option.lenient) warnings.push(`${name}: no effect without ${missing.join(' and ')}`);
    else mistakes.push(`--${option.flag} needs ${missing.join(' and ')}`);
  }
  if (config.tiller.connector === 'direct' && config.tiller.endpoint === undefined)
    mistakes.push('--connector direct needs --tiller-endpoint');
  return { mistakes, warnings };
}

export type LoadedConfig = Config & {
  /** Flags that are accepted without effect, or only because swift had them; one sentence each. */
  readonly warnings: readonly string[];
};

/** Swift's command of this name. */
const swiftVersion =
  "version: prints this gateway's version, as --version does; Tiller's is at /tiller/v2/version/json";
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const options = allOptions.map(({ option }) => option);

/**
 * The configuration from flags, environment and `--config` file; flags override the environment, which overrides the
 * file. With `--help` or `--version` nothing else is read, so that they always work.
 * @throws GatewayError INVALID_ARGUMENT that lists every mistake, one a line
 */
export async function loadConfig(given: CommandLine): Promise<LoadedConfig> {
  const { argv, environment } = given;
  const inPod = Boolean(environment.KUBERNETES_SERVICE_HOST);
  const { argv: words, warnings } = isHelmWrapper(given)
    ? fromHelmWrapper(given, inPod ? '' : '127.0.0.1')
    : { argv, warnings: [] };
  const flags = readFlags(words, options);
  const surroundings = { inPod, hasServiceAccount: inPod && existsSync(serviceAccountToken) };
  if (['help', 'version'].some(name => flags.byFlag.has(name))) {
    const version = flags.byFlag.get('version')?.where === 'version' ? [swiftVersion] : [];
    return { ...completeConfig(readValues(flags.byFlag).config, surroundings), warnings: version };
  }
  const fromEnvironment = readEnvironment(environment, options);
  const sources = [fromEnvironment, flags];
  const file = (flags.byFlag.get('config') ?? fromEnvironment.byFlag.get('config'))?.texts[0];
  if (file) sources.unshift(await readFileSettings(file, options));

  const settings = new Map(sources.flatMap(source => [...source.byFlag]));
  const values = readValues(settings);
  const config = completeConfig(values.config, surroundings);
  const checked = checkConfig(config, new Map([...settings].map(([flag, { where }]) => [flag, where])));
  const mistakes = [...sources.flatMap(source => source.mistakes), ...values.mistakes, ...checked.mistakes];
  if (mistakes.length > 0) throw invalidArgument(mistakes.join('\n'));
  return { ...config, warnings: [...warnings, ...checked.warnings] };
}

/**
 * Reads each option's text, or its default where none (or an empty one) is given. Mistakes are collected, and a
 * mistaken option keeps its default, so that the rest can be checked too.
 * @param settings by the option's flag
 */
export function readValues(settings: ReadonlyMap<string, Setting>): {
  config: GivenConfig;
  mistakes: string[];
} {
  const mistakes: string[] = [];
  const config: Record<string, Record<string, unknown>> = {};
  for (const group of Object.keys(optionGroups)) config[group] = {};
  for (const { group, key, option } of allOptions) {
    const setting = settings.get(option.flag);
    const given = setting?.texts.some(text => text !== '') ? setting : undefined;
    let value = option.default === undefined ? undefined : option.read([option.default]);
    try {
      if (given) value = option.read(given.texts);
    } catch (error) {
      mistakes.push(`${given?.where}: ${option.secret ? 'wrong value' : (error as Error).message}`);
    }
    config[group]![key] = value;
  }
  return { config: config as GivenConfig, mistakes };
}
