import { isBlank, isBreak } from './chars.ts';
import type { Cursor } from './cursor.ts';

/** White space inside a scalar, read but not yet written: it is kept, or folded, only if more text follows it. */
export class Gap {
  spaces = '';
  firstBreak = '';
  moreBreaks = '';
  /** Whether a line break was seen, so that what follows is at the start of a line. */
  broken = false;

  /** Reads blanks and line breaks. `checkIndent` sees each blank at the start of a line. */
  read(cursor: Cursor, checkIndent?: () => void): void {
    for (let c = cursor.peek(); isBlank(c) || isBreak(c); c = cursor.peek()) {
      if (isBlank(c)) {
        if (this.broken) checkIndent?.();
        else this.spaces += String.fromCharCode(c);
        cursor.skip();
      } else if (this.broken) {
        this.moreBreaks += cursor.readBreak();
      } else {
        this.spaces = '';
        this.firstBreak = cursor.readBreak();
        this.broken = true;
      }
    }
  }

  /** What the white space stands for: itself on one line, a space for one line break, else the further breaks. */
  take(): string {
    const folded = this.firstBreak === '\n' ? this.moreBreaks || ' ' : this.firstBreak + this.moreBreaks;
    const text = this.broken ? folded : this.spaces;
    this.spaces = '';
    this.firstBreak = '';
    this.moreBreaks = '';
    this.broken = false;
    return text;
  }
}
