import { isBreak } from './chars.ts';

/** A place in the text, with the line and column that YAML's indentation rules and error texts need. */
export class Cursor {
  readonly text: string;
  position = 0;
  /** From 0. */
  line = 0;
  #lineStart = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** UTF-16 units since the start of the line. */
  get column(): number {
    return this.position - this.#lineStart;
  }

  /** The code of the character `offset` places ahead; NaN past the end. */
  peek(offset = 0): number {
    return this.text.charCodeAt(this.position + offset);
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Steps over characters that are no line breaks. */
  skip(count = 1): void {
    this.position += count;
  }

  /** Steps over one line break, if there is one, and gives what it stands for: CR, CRLF and NEL are LF. */
  readBreak(): string {
    const c = this.peek();
    if (!isBreak(c)) return '';
    this.position += c === 0x0d && this.peek(1) === 0x0a ? 2 : 1;
    this.startLine();
    return c === 0x2028 || c === 0x2029 ? String.fromCharCode(c) : '\n';
  }

  /** Counts a new line that starts here. */
  startLine(): void {
    this.line++;
    this.#lineStart = this.position;
  }

  /** Whether `---` or `...`, followed by white space, stands at the start of a line here. */
  atDocumentIndicator(): boolean {
    if (this.column !== 0) return false;
    const c = this.peek();
    if ((c !== 0x2d && c !== 0x2e) || this.peek(1) !== c || this.peek(2) !== c) return false;
    const next = this.peek(3);
    return Number.isNaN(next) || next === 0x20 || next === 0x09 || isBreak(next);
  }
}
