import { invalidArgument } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart-options.ts';
import type { Downloader } from '../download/downloader.ts';
import { parseSourceUrl } from '../download/source-url.ts';
import { Repository } from './repository.ts';
import { readRepositoryCredentials } from './repository-credentials.ts';

export type Repositories = ReadonlyMap<string, Repository>;

/**
 * The configured repositories by name.
 * @throws GatewayError INVALID_ARGUMENT when one is not NAME=URL, or a name is given twice
 */
export function createRepositories(options: ChartOptions, downloader: Downloader): Repositories {
  const repositories = new Map<string, Repository>();
  for (const text of options.repositories) {
    const [, name = '', url = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? [];
    if (name === '') throw invalidArgument('a chart repository must be NAME=URL');
    if (repositories.has(name)) throw invalidArgument(`the chart repository ${name} is given twice`);
    const file = options.repositoryCredentialsFile;
    const credentials = async () => (file === undefined ? {} : readRepositoryCredentials(file, name));
    const { indexMaxAgeMs, indexMaxBytes } = options;
    const source = parseSourceUrl(url);
    if (source.username !== '' || source.password !== '') {
      throw invalidArgument(`the chart repository ${name}: credentials belong into the credentials file`);
    }
    repositories.set(
      name,
      new Repository({ name, source, credentials, indexMaxAgeMs, indexMaxBytes }, downloader),
    );
  }
  return repositories;
}
