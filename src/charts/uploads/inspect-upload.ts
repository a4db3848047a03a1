import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { inThread, invalidArgument } from '../../protocol/index.ts';
import { loadChart } from '../archive/load-chart.ts';
import type { ArchiveLimits } from '../archive/unpack.ts';
import type { ChartEntry } from '../repository/packed-index.ts';
import { parseVersion } from '../requirements/version-constraint.ts';
import { onDisk, openPlain } from './upload-folder.ts';

/** What an upload is by its content; `digest` is that of the archive. */
export type Inspected = Omit<ChartEntry, 'urls' | 'created'>;

export type InspectLimits = ArchiveLimits & { readonly maxBytes: number };

/** The two together make the name of a file, and the version is a part of a URL's path. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const versionPattern = /^[A-Za-z0-9][A-Za-z0-9.+-]{0,99}$/;

/**
 * Reads a packed chart as an install would, and stricter: it is to be kept. Runs in a thread, which reads the file itself.
 * @throws GatewayError INVALID_ARGUMENT for what is no chart that can be installed; UNAVAILABLE when the file cannot be read
 */
export async function inspectUpload(path: string, limits: InspectLimits): Promise<Inspected> {
  const archive = await readArchive(path, limits.maxBytes);
  const { metadata, type } = await loadChart(archive, { ...limits, isStrict: true });
  const { name, version = '' } = metadata;
  const shown = (text: string) => JSON.stringify(text.slice(0, 200));
  if (!namePattern.test(name))
    throw invalidArgument(`the chart's name ${shown(name)} cannot be the name of a file`);
  if (version === '') throw invalidArgument('invalid chart (Chart.yaml): version must not be empty');
  if (!versionPattern.test(version) || !parseVersion(version)) {
    throw invalidArgument(`invalid chart (Chart.yaml): ${shown(version)} is no version`);
  }
  if (type === 'library') throw invalidArgument('library charts are not installable');
  const {
    appVersion = '',
    description = '',
    home = '',
    icon = '',
    keywords = [],
    deprecated = false,
  } = metadata;
  const digest = createHash('sha256').update(archive).digest('hex');
  return { name, version, appVersion, description, home, icon, keywords: [...keywords], deprecated, digest };
}

export const inspectInThread = inThread(import.meta.url, inspectUpload);

function readArchive(path: string, maxBytes: number): Promise<Buffer> {
  return onDisk('read', async () => {
    const file = await open(path, openPlain);
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw invalidArgument(`the chart is larger than ${maxBytes} bytes`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  });
}
