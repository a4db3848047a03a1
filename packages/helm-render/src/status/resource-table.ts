import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import { splitManifests } from '../manifest/split.ts';
import { parseYaml, type YamlValue } from '../yaml/index.ts';
import { formatAge } from './age.ts';
import { columnsFor } from './columns.ts';
import { relatedPods } from './related-pods.ts';
import { type Resource, toResource } from './resource.ts';
import { formatTable } from './text-table.ts';

/** A resource by itself, or the items of a list (`kind: List`, `kind: SecretList`). */
function flatten(document: YamlValue): YamlValue[] {
  if (!(document instanceof Map) || !String(document.get('kind')).endsWith('List')) return [document];
  const items = document.get('items');
  return Array.isArray(items) ? items : [document];
}

function readResources(manifest: string): Resource[] {
  return splitManifests(utf8ToBytes(manifest))
    .flatMap(document => flatten(parseYaml(bytesToUtf8(document))))
    .map(toResource)
    .filter(resource => resource !== undefined);
}

/** The heading of a resource's table: version without group, and kind. */
function headingOf({ apiVersion, kind }: Resource): string {
  return `${apiVersion.split('/').at(-1)}/${kind}`;
}

function tableOf(resources: readonly Resource[], ageMs: number): string {
  const { headers, cells } = columnsFor(resources[0]!.kind);
  const age = formatAge(ageMs);
  const rows = resources.map(resource => [resource.name, ...cells(resource, age), age]);
  return formatTable([['NAME', ...headers, 'AGE'], ...rows]);
}

/**
 * The table of a release's resources as Tiller's GetReleaseStatus gives it: a section per version and kind in
 * alphabetical order, each with kubectl's columns, and `v1/Pod(related)` for the pods of workloads.
 * @param manifest a release's manifest
 * @param ageMs since the resources were made
 * @throws HelmRenderError when the manifest is not YAML
 */
export function resourceTable(manifest: string, ageMs: number): string {
  const sections = new Map<string, Resource[]>();
  const add = (heading: string, resource: Resource) => {
    const section = sections.get(heading);
    if (section) section.push(resource);
    else sections.set(heading, [resource]);
  };
  for (const resource of readResources(manifest)) {
    add(headingOf(resource), resource);
    for (const pod of relatedPods(resource)) add('v1/Pod(related)', pod);
  }
  return [...sections.keys()]
    .sort()
    .map(heading => `==> ${heading}\n${tableOf(sections.get(heading)!, ageMs)}\n`)
    .join('');
}
