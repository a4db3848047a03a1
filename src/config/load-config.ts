import { existsSync } from 'node:fs';
import { invalidArgument } from '../protocol/index.ts';
import { type Config, completeConfig } from './config.ts';
import { allOptions } from './options/index.ts';
import { readEnvironment } from './read-environment.ts';
import { readFileSettings } from './read-file.ts';
import { readFlags } from './read-flags.ts';
import { readValues } from './read-values.ts';
import { brokenRules } from './rules.ts';

/** Where the configuration comes from. */
export interface ConfigSources {
  /** The command line without the program's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const options = allOptions.map(({ option }) => option);

/**
 * The configuration from flags, environment and `--config` file; flags win over the environment, which wins over the
 * file. With `--help` or `--version` nothing else is looked at, so that they always work.
 * @throws GatewayError INVALID_ARGUMENT that lists every mistake, one a line
 */
export async function loadConfig({ argv, environment }: ConfigSources): Promise<Config> {
  const flags = readFlags(argv, options);
  const inCluster = Boolean(environment.KUBERNETES_SERVICE_HOST) && existsSync(serviceAccountToken);
  if (['help', 'version'].some(name => flags.byFlag.has(name))) {
    return completeConfig(readValues(flags.byFlag).config, inCluster);
  }
  const fromEnvironment = readEnvironment(environment, options);
  const sources = [fromEnvironment, flags];
  const file = (flags.byFlag.get('config') ?? fromEnvironment.byFlag.get('config'))?.texts[0];
  if (file) sources.unshift(await readFileSettings(file, options));

  const values = readValues(new Map(sources.flatMap(source => [...source.byFlag])));
  const config = completeConfig(values.config, inCluster);
  const mistakes = [
    ...sources.flatMap(source => source.mistakes),
    ...values.mistakes,
    ...brokenRules(config),
  ];
  if (mistakes.length > 0) throw invalidArgument(mistakes.join('\n'));
  return config;
}
