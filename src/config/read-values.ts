import type { GivenConfig } from './config.ts';
import { allOptions, optionGroups } from './options/index.ts';
import type { Setting } from './settings.ts';

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
