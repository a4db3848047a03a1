/**
 * What is wrong with a YAML text. Stays inside this room: the public functions turn it into a GatewayError with the
 * prefix of the Go function they stand for.
 */
export class YamlError extends Error {
  override readonly name = 'YamlError';

  readonly problem: string;
  /** From 1; undefined where the whole text is meant. */
  readonly line: number | undefined;

  constructor(problem: string, line?: number) {
    super(line === undefined ? problem : `line ${line}: ${problem}`);
    this.problem = problem;
    this.line = line;
  }
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (const match of text.matchAll(/\r\n?|\n/g)) {
    if (match.index >= offset) break;
    line++;
  }
  return line;
}
