import type { Chart } from '../../codec/index.ts';
import { inThread, invalidArgument } from '../../protocol/index.ts';
import { writeYaml, type YamlMap } from '../../yaml/index.ts';
import { loadChart } from '../archive/load-chart.ts';
import type { ArchiveLimits } from '../archive/unpack.ts';
import { type ChartFile, type LoadedChart, messageToChart } from '../chart/chart.ts';
import type { Warn } from '../chart/chart-options.ts';
import { readYamlMap } from '../chart/chart-yaml.ts';
import {
  coalesceTables,
  coalesceValues,
  countNodes,
  tableAt,
  tableUnder,
  valueAt,
} from '../values/tables.ts';
import { Preparation, type Requirement } from './preparation.ts';
import { parseConstraint, parseVersion } from './version-constraint.ts';

/**
 * Does to a loaded chart what the Helm 2.17 client does before it sends it: checks that required charts are there, removes
 * those that are turned off, imports values. `given` reads the request's values; it is only called where they decide something.
 * @throws GatewayError INVALID_ARGUMENT when a dependency is missing, or requirements or values cannot be read
 */
export function prepareChart(chart: LoadedChart, given: () => YamlMap, warn: Warn): void {
  const work = new Preparation(warn);
  // by name alone, as the Helm client does before it installs
  const missing = missingOf(chart, work).map(({ name }) => name);
  if (missing.length > 0) {
    throw invalidArgument(
      `found in requirements.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
    );
  }
  if (work.requirementsOf(chart)) processEnabled(chart, given(), work);
  processImportValues(chart, work);
}

/** What the topmost chart requires and does not have in its charts/, by name. */
function missingOf(chart: LoadedChart, work: Preparation): Requirement[] {
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  return (work.requirementsOf(chart) ?? []).filter(({ name }) => !present.has(name));
}

/** Each is a download; real charts have a few. */
const maxMissing = 50;

/**
 * The charts that a chart misses in its charts/. May run in a thread.
 * @throws GatewayError INVALID_ARGUMENT when it is no chart, or its requirements cannot be read
 */
export async function listMissing(
  content: Uint8Array | readonly ChartFile[],
  limits: ArchiveLimits,
): Promise<Requirement[]> {
  const missing = missingOf(await loadChart(content, limits), new Preparation(() => {}));
  if (missing.length > maxMissing)
    throw invalidArgument(`more than ${maxMissing} charts are missing in charts/ directory`);
  return missing;
}

export const listMissingInThread = inThread(import.meta.url, listMissing);

/**
 * How a missing chart is named to this gateway.
 * @throws GatewayError INVALID_ARGUMENT for a repository that can only be on somebody's own machine
 */
export function referenceOf({ name, version, repository }: Requirement): {
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

/** A name with a dot, for one, is a path of two names, which no value could reach. */
const aliasPattern = /^[a-zA-Z0-9-_]+$/;

/**
 * Gives dependencies their aliases and removes those that tags and conditions turn off, at every depth
 * (chartutil.ProcessRequirementsEnabled of Helm 2.17). A chart without requirements.yaml is left as it is, with all below
 * it. `given` are the values of the request.
 * @throws GatewayError INVALID_ARGUMENT when an alias is illegal, or values cannot be read or collide with a dependency's
 */
function processEnabled(chart: LoadedChart, given: YamlMap, work: Preparation, path = ''): void {
  const requirements = work.tryRequirementsOf(chart);
  if (!requirements) return;
  const illegal = requirements.find(({ alias }) => alias !== '' && !aliasPattern.test(alias));
  if (illegal) throw invalidArgument(`illegal alias name in ${JSON.stringify(illegal.name)}`);
  chart.dependencies = withAliases(chart, requirements, work);
  work.takeCopies(given);
  const values = coalesceValues(chart, given, work);
  const disabled = new Set(
    requirements
      .filter(requirement => !isEnabled(requirement, values, path, work.warn))
      .map(requirement => requirement.alias || requirement.name),
  );
  const enabled = chart.dependencies.filter(({ metadata }) => !disabled.has(metadata.name));
  for (const dependency of enabled) {
    const below = `${path}${dependency.metadata.name}.`;
    work.tolerating(() => processEnabled(dependency, values, work, below));
  }
  chart.dependencies = enabled;
}

/** Dependencies that no requirement names, then one for each requirement that one fits, under its alias. */
function withAliases(
  chart: LoadedChart,
  requirements: readonly Requirement[],
  work: Preparation,
): LoadedChart[] {
  const unnamed = chart.dependencies.filter(
    dependency => !requirements.some(requirement => fits(dependency, requirement)),
  );
  const named = requirements.flatMap(requirement => {
    const dependency = chart.dependencies.find(candidate => fits(candidate, requirement));
    if (!dependency) return [];
    work.takeChart();
    const name = requirement.alias || dependency.metadata.name;
    return [{ ...dependency, metadata: { ...dependency.metadata, name } }];
  });
  return [...unnamed, ...named];
}

function fits({ metadata }: LoadedChart, requirement: Requirement): boolean {
  if (metadata.name !== requirement.name) return false;
  const version = parseVersion(metadata.version ?? '');
  return version !== undefined && parseConstraint(requirement.version)?.(version) === true;
}

/** A condition beats the tags; without either a dependency is enabled. */
function isEnabled(requirement: Requirement, values: YamlMap, path: string, warn: Warn): boolean {
  return (
    conditionOf(requirement, values, path, warn) ??
    tagsOf(requirement, tableAt(values, 'tags') ?? new Map(), warn) ??
    true
  );
}

/** The first path with a value decides, if that is a boolean; undefined when none does. */
function conditionOf(
  requirement: Requirement,
  values: YamlMap,
  path: string,
  warn: Warn,
): boolean | undefined {
  // only the whole is trimmed: with `a, b` the second path starts with a space and never matches in Helm either
  for (const condition of requirement.condition.trim().split(',')) {
    if (condition === '') continue;
    const value = valueAt(values, path + condition) ?? null;
    if (value === null) continue;
    if (typeof value === 'boolean') return value;
    warn(`condition path '${condition}' for chart ${requirement.name} returned non-bool value`);
    return undefined;
  }
  return undefined;
}

/** One tag that is true enables; else one that is false disables; undefined when the values name none. */
function tagsOf(requirement: Requirement, tags: YamlMap, warn: Warn): boolean | undefined {
  let result: boolean | undefined;
  for (const tag of requirement.tags) {
    const value = tags.get(tag);
    if (value === true) result = true;
    else if (value === false) result ??= false;
    else if (value !== undefined) {
      warn(`tag '${tag}' for chart ${requirement.name} returned non-bool value`);
    }
  }
  return result;
}

/**
 * Writes the values of every chart that has a requirements.yaml anew: its own over those of its dependencies, and what
 * `import-values` asks for (chartutil.ProcessRequirementsImportValues of Helm 2.17). Innermost charts come first, so that
 * values can be imported through several levels.
 */
function processImportValues(chart: LoadedChart, work: Preparation): void {
  for (const parent of parentsOf(chart).reverse()) work.tolerating(() => importInto(parent, work));
}

/** The chart itself and all charts below it that have dependencies, outermost first. */
function parentsOf(chart: LoadedChart): LoadedChart[] {
  const below = chart.dependencies.filter(({ dependencies }) => dependencies.length > 0);
  return [chart, ...below.flatMap(parentsOf)];
}

/** Helm drops errors here and leaves the chart's values as they were. */
function importInto(chart: LoadedChart, work: Preparation): void {
  const requirements = work.tryRequirementsOf(chart);
  if (!requirements) return;
  const values = coalesceValues(chart, new Map(), work);
  const result = withImports(chart, requirements, values, work);
  work.takeNodes(countNodes(result));
  chart.values = writeYaml(result);
}

/** Imported values win over the chart's own, and what was imported first over what comes later. */
function withImports(
  chart: LoadedChart,
  requirements: readonly Requirement[],
  values: YamlMap,
  work: Preparation,
): YamlMap {
  let imported: YamlMap = new Map();
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  for (const requirement of requirements) {
    const name = [requirement.alias, requirement.name].find(candidate => present.has(candidate));
    if (name === undefined) continue;
    for (const { child, parent } of requirement.importValues) {
      const table = tableAt(values, `${name}.${child}`);
      if (table) {
        work.takeCopies(imported);
        imported = coalesceTables(imported, tableUnder(parent, table));
      } else work.warn(`import-values of chart ${chart.metadata.name}: no table named ${name}.${child}`);
    }
  }
  work.takeCopies(values);
  return coalesceTables(imported, values);
}

/**
 * The values that the templates of a release saw: those given, over the chart's own and those of its dependencies, as
 * `helm get values --all` computes them.
 * @param given YAML
 * @throws GatewayError INVALID_ARGUMENT when values are no YAML map, collide with a dependency, or are too many
 */
export function computeValues(chart: Chart | null, given: string): { map: YamlMap; raw: string } {
  const values = readYamlMap(given, 'the given values');
  const work = new Preparation(() => {});
  const map = chart ? coalesceValues(messageToChart(chart), values, work) : values;
  return { map, raw: writeYaml(map) };
}
