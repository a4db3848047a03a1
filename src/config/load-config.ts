import { existsSync } from 'node:fs';
import { invalidArgument } from '../protocol/index.ts';
import { type Config, checkConfig, completeConfig, type GivenConfig } from './config.ts';
import { allOptions, optionGroups } from './options.ts';
import { readFileSettings } from './read-file.ts';
import { readEnvironment, readFlags, type Setting } from './read-settings.ts';

/** Where the configuration comes from. */
export interface ConfigSources {
  /** The command line without the program's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type LoadedConfig = Config & {
  /** Flags that are accepted without effect, or only because swift had them; one sentence each. */
  readonly warnings: readonly string[];
};

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const options = allOptions.map(({ option }) => option);

/**
 * The configuration from flags, environment and `--config` file; flags override the environment, which overrides the
 * file. With `--help` or `--version` nothing else is read, so that they always work.
 * @throws GatewayError INVALID_ARGUMENT that lists every mistake, one a line
 */
export async function loadConfig({ argv, environment }: ConfigSources): Promise<LoadedConfig> {
  const flags = readFlags(argv, options);
  const inPod = Boolean(environment.KUBERNETES_SERVICE_HOST);
  const surroundings = { inPod, hasServiceAccount: inPod && existsSync(serviceAccountToken) };
  if (['help', 'version'].some(name => flags.byFlag.has(name))) {
    return { ...completeConfig(readValues(flags.byFlag).config, surroundings), warnings: [] };
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
  return { ...config, warnings: checked.warnings };
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
