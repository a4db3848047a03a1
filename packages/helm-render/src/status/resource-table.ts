import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import { splitManifests } from '../manifest/split.ts';
import { parseYaml, type YamlValue } from '../yaml/index.ts';
import { columnsFor } from './columns.ts';
import { relatedPods } from './related-pods.ts';
import { type Resource, toResource } from './resource.ts';

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

/** Spaces between columns, and the least width of one with them: kubectl's tab writer. */
const padding = 3;
const leastWidth = 6;

/** Lines of cells in columns; the last column is not filled up. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(leastWidth, ...rows.map(row => Array.from(row[column] ?? '').length + padding)),
  );
  const fill = (cell: string, column: number, row: readonly string[]) =>
    column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - Array.from(cell).length);
  return rows.map(row => `${row.map((cell, column) => fill(cell, column, row)).join('')}\n`).join('');
}

/** A larger unit with a smaller one behind it where that is not zero: `2m18s`. */
function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** An age as kubectl shows it. Rules: HumanDuration in k8s.io/apimachinery/pkg/util/duration. */
export function formatAge(ageMs: number): string {
  const seconds = Math.trunc(ageMs / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}
