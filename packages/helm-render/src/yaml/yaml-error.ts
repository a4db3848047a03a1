/**
 * What is wrong with a YAML text, in the words of Go's yaml.v2 without its `yaml: ` in front. Stays inside this folder:
 * the public functions turn it into a HelmRenderError with the prefix of the Go function they stand for.
 */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/**
 * An error of the scanner. yaml.v2 names the line where it gave up, counted from 1; but a problem on the very first
 * line is said to be where its context began, counted from 0, so that line 1 is not named at all.
 */
export function scannerError(problem: string, problemLine: number, contextLine: number): YamlError {
  return new YamlError(where(problemLine === 0 ? contextLine : problemLine + 1) + problem);
}

/** An error of the parser: yaml.v2 gives the line as libyaml counts it, from 0. */
export function parserError(problem: string, problemLine: number, contextLine: number): YamlError {
  return new YamlError(where(problemLine === 0 ? contextLine : problemLine) + problem);
}

function where(line: number): string {
  return line === 0 ? '' : `line ${line}: `;
}
