import type { Config } from './config.ts';
import { masked, maskUrlCredentials } from './mask.ts';
import { allOptions, groupTitles } from './options/index.ts';

/**
 * The configuration as a YAML file that `--config` would read, defaults included, in the order of the tables; what is
 * not set is left out. Secrets and credentials in URLs are masked, so such a file needs them put in again.
 */
export function formatConfig(config: Config): string {
  const lines: string[] = [];
  let heading = '';
  for (const { group, key, option } of allOptions) {
    const value = (config[group] as Readonly<Record<string, unknown>>)[key];
    if (option.flagOnly || option.flag === 'config' || value === undefined || value === null) continue;
    if (heading !== groupTitles[group]) {
      heading = groupTitles[group];
      lines.push(`${lines.length > 0 ? '\n' : ''}# ${heading}`);
    }
    const shown = option.secret ? masked : option.show(value);
    lines.push(
      `${option.flag}: ${typeof shown === 'string' ? yamlText(shown) : `[${shown.map(yamlText).join(', ')}]`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Plain where YAML reads it back as the same text, else as JSON, which is YAML too. */
function yamlText(value: string): string {
  const safe = maskUrlCredentials(value);
  return /^[A-Za-z0-9/][\w./+-]*$/.test(safe) ? safe : JSON.stringify(safe);
}
