/** Where a value stands, for errors: a text, or something that gives one when an error needs it. */
export interface FieldPath {
  toString(): string;
}

const maxNameChars = 40;

/** The place of the value that is being read, such as `chart.templates[3].data`, put into words by `toString` only. */
export class PathTracker implements FieldPath {
  readonly #parts: (string | number)[] = [];

  /** Goes on to a member of the value, or to an entry of its list. */
  enter(part: string | number): void {
    this.#parts.push(part);
  }

  /** Back to the value that holds it. */
  leave(): void {
    this.#parts.pop();
  }

  toString(): string {
    const texts = this.#parts.map(part =>
      typeof part === 'number' ? `[${part}]` : `.${part.slice(0, maxNameChars)}`,
    );
    return texts.join('').replace(/^\./, '');
  }
}
