import { inThread, invalidArgument } from '../../protocol/index.ts';
import { loadChart } from '../archive/load-chart.ts';
import type { ArchiveLimits } from '../archive/unpack.ts';
import type { ChartFile } from '../chart/chart.ts';
import { Preparation, type Requirement } from './preparation.ts';

/** A chart that another one requires and does not bring along. */
export type MissingChart = Pick<Requirement, 'name' | 'version' | 'repository'>;

/** Each is a download; real charts have a few. */
const maxMissing = 50;

/**
 * What the topmost chart requires and does not have in its charts/, by name. May run in a thread.
 * @throws GatewayError INVALID_ARGUMENT when it is no chart, or its requirements cannot be read
 */
export async function listMissing(
  content: Uint8Array | readonly ChartFile[],
  limits: ArchiveLimits,
): Promise<MissingChart[]> {
  const chart = await loadChart(content, limits);
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  const missing = (new Preparation(() => {}).requirementsOf(chart) ?? []).filter(
    ({ name }) => !present.has(name),
  );
  if (missing.length > maxMissing)
    throw invalidArgument(`more than ${maxMissing} charts are missing in charts/ directory`);
  return missing.map(({ name, version, repository }) => ({ name, version, repository }));
}

export const listMissingInThread = inThread(import.meta.url, listMissing);

/**
 * How a missing chart is named to this gateway.
 * @throws GatewayError INVALID_ARGUMENT for a repository that can only be on somebody's own machine
 */
export function referenceOf({ name, version, repository }: MissingChart): {
  readonly url: string;
  readonly repositoryUrl?: string;
} {
  const range = version === '' ? '' : `/${version}`;
  const alias = /^(?:@|alias:)(.+)$/.exec(repository)?.[1];
  if (alias !== undefined) return { url: `${alias}/${name}${range}` };
  if (/^https?:\/\//i.test(repository)) return { url: `${name}${range}`, repositoryUrl: repository };
  if (repository.startsWith('oci://'))
    return { url: `${repository.replace(/\/$/, '')}/${name}${version === '' ? '' : `:${version}`}` };
  throw invalidArgument(
    `the missing chart ${name} cannot be fetched: its repository is neither a URL nor the name of a repository (@NAME)`,
  );
}
