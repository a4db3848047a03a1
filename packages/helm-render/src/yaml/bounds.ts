import { HelmRenderError } from '../chart/helm-render-error.ts';

/** How much a YAML text may ask for. Reading is linear in these, so they bound its time as well. */
export interface YamlBounds {
  /** UTF-16 units of text. */
  readonly maxLength: number;
  /** Levels of nested lists and maps. yaml.v2 stops at 10,000; the default stays below this program's call stack. */
  readonly maxDepth: number;
  /** Values in the result, counted after aliases are expanded. */
  readonly maxNodes: number;
}

const defaults: YamlBounds = {
  maxLength: 20 * 1024 * 1024,
  maxDepth: 1_000,
  maxNodes: 2_000_000,
};

const most: YamlBounds = { maxLength: 256 * 1024 * 1024, maxDepth: 1_000, maxNodes: 20_000_000 };

/** Fills in what is not given. Throws HelmRenderError on a bound that is not an integer from 1 to its limit. */
export function validateYamlBounds(given: Partial<YamlBounds> = {}): YamlBounds {
  const bounds = { ...defaults, ...given };
  for (const name of ['maxLength', 'maxDepth', 'maxNodes'] as const) {
    const value = bounds[name];
    if (!Number.isInteger(value) || value < 1 || value > most[name]) {
      throw new HelmRenderError(`${name} must be an integer from 1 to ${most[name]}`);
    }
  }
  return bounds;
}
