import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import type { YamlMap, YamlValue } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/chart.ts';
import type { Warn } from '../chart/chart-options.ts';
import { readFields, readList, readTexts, readYamlMap, textBounds, textFields } from '../chart/chart-yaml.ts';
import { type CoalesceWork, countNodes } from '../values/tables.ts';

/** One dependency of requirements.yaml, with what Helm 2.17 reads of it. */
export interface Requirement {
  readonly name: string;
  /** Version or range; one that cannot be read matches nothing. */
  readonly version: string;
  /** Paths of values, divided by commas. */
  readonly condition: string;
  readonly tags: readonly string[];
  readonly alias: string;
  /** Where it can be had: a URL, or `@NAME` or `alias:NAME` for a repository by its name. */
  readonly repository: string;
  readonly importValues: readonly ValueImport[];
}

/** Values to copy from a table of the dependency into a table of its parent. */
export interface ValueImport {
  readonly child: string;
  readonly parent: string;
}

const fields = {
  ...textFields('name', 'version', 'condition', 'alias', 'repository'),
  tags: readTexts,
  'import-values': readList(readImport),
};

/**
 * Reads the requirements.yaml of a chart.
 * @throws GatewayError INVALID_ARGUMENT when it cannot be read
 */
export function loadRequirements(data: Uint8Array, chart: LoadedChart): Requirement[] {
  const where = `cannot load requirements: requirements.yaml of chart ${chart.metadata.name}`;
  const map = readYamlMap(data, where);
  return readFields(map, { dependencies: readList(readRequirement) }, where).dependencies ?? [];
}

function readRequirement(value: YamlValue, where: string): Requirement {
  const { 'import-values': given = [], ...rest } = readFields(value, fields, where);
  const empty = { name: '', version: '', condition: '', tags: [], alias: '', repository: '' };
  return { ...empty, ...rest, importValues: given.filter(item => item !== undefined) };
}

/** `name` stands for the table `exports.name`, put into the parent's topmost table. What is neither form is ignored. */
function readImport(value: YamlValue, where: string): ValueImport | undefined {
  if (typeof value === 'string') return { child: `exports.${value}`, parent: '.' };
  if (!(value instanceof Map)) return undefined;
  const child = value.get('child');
  const parent = value.get('parent');
  if (typeof child === 'string' && typeof parent === 'string') return { child, parent };
  throw invalidArgument(`${where} must have child and parent`);
}

/**
 * Charts that aliases may make, and requirements of one chart. Aliases multiply from level to level, so that a few lines could ask
 * for millions of charts; real charts have dozens.
 */
const maxCharts = 1_000;

/** Values read and written, all charts and steps together: each text is read and written a few times. */
const maxNodes = 5 * textBounds.maxNodes;

/** Values copied while tables are merged, which takes a tenth of the time. */
const maxCopies = 2_000_000;
const tooManyValues = 'the values of the chart and its dependencies are too many';

/** The work on one chart's requirements and values: what was read already, and how much more may be done. */
export class Preparation implements CoalesceWork {
  readonly warn: Warn;
  #charts = 0;
  #nodes = 0;
  #copies = 0;
  #exceeded: GatewayError | undefined;
  readonly #values = new Map<string, { readonly map: YamlMap; readonly nodes: number }>();
  readonly #requirements = new Map<Uint8Array, Requirement[] | GatewayError>();

  constructor(warn: Warn) {
    this.warn = warn;
  }

  /**
   * A chart's own values, not to be changed; undefined where it has none.
   * @throws GatewayError INVALID_ARGUMENT when they are no YAML map, or there is too much
   */
  ownValues({ values, metadata }: LoadedChart): YamlMap | undefined {
    if (!values) return undefined;
    let known = this.#values.get(values);
    if (!known) {
      const map = readYamlMap(values, `values.yaml of chart ${metadata.name}`);
      known = { map, nodes: countNodes(map) };
      this.#values.set(values, known);
    }
    this.takeNodes(known.nodes);
    return known.map;
  }

  /**
   * A chart's requirements; undefined where it has none.
   * @throws GatewayError INVALID_ARGUMENT when they cannot be read, or there are too many
   */
  requirementsOf(chart: LoadedChart): Requirement[] | undefined {
    const file = chart.files.findLast(({ name }) => name === 'requirements.yaml');
    if (!file || file.data.length === 0) return undefined;
    const known = this.#requirements.get(file.data) ?? caught(() => loadRequirements(file.data, chart));
    this.#requirements.set(file.data, known);
    if (known instanceof GatewayError) throw known;
    if (known.length > maxCharts) throw this.#exceed(`more than ${maxCharts} requirements in one chart`);
    return known;
  }

  /** The same where a mistake counts as no requirements: Helm looks at them with care only in the topmost chart. */
  tryRequirementsOf(chart: LoadedChart): Requirement[] | undefined {
    return this.tolerating(
      () => this.requirementsOf(chart),
      () => {},
    );
  }

  /** Does what Helm does without looking at errors; those of limits are not dropped. */
  tolerating<T>(task: () => T, onError: Warn = this.warn): T | undefined {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof GatewayError) || error === this.#exceeded) throw error;
      onError(error.message);
      return undefined;
    }
  }

  takeChart(): void {
    this.#charts++;
    if (this.#charts > maxCharts) throw this.#exceed(`the requirements make more than ${maxCharts} charts`);
  }

  takeNodes(count: number): void {
    this.#nodes += count;
    if (this.#nodes > maxNodes) throw this.#exceed(tooManyValues);
  }

  takeCopies(value: YamlValue): void {
    this.#copies += countNodes(value);
    if (this.#copies > maxCopies) throw this.#exceed(tooManyValues);
  }

  #exceed(message: string): GatewayError {
    this.#exceeded = invalidArgument(message);
    return this.#exceeded;
  }
}

function caught<T>(task: () => T): T | GatewayError {
  try {
    return task();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}
