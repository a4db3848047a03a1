/** Why an entry of an index is of no use; a closed list. Entries without a URL are listed all the same. */
export type LeftOutReason = 'NOT_A_LIST' | 'NOT_A_MAP' | 'WRONG_TYPE' | 'NO_VERSION' | 'NO_URL';

export interface LeftOutEntry {
  readonly chart: string;
  /** From 0, in the index's order of the chart's versions. */
  readonly position: number;
  readonly reason: LeftOutReason;
}

export interface LeftOut {
  readonly count: number;
  /** How many of them are listed all the same. */
  readonly listed: number;
  readonly first: readonly LeftOutEntry[];
}

const maxShown = 20;
const maxNameChars = 200;

/** Counts entries of an index that are of no use, and keeps the first ones. */
export class LeftOutCounter {
  #count = 0;
  #listed = 0;
  readonly #first: LeftOutEntry[] = [];

  add(chart: string, position: number, reason: LeftOutReason): void {
    this.#count++;
    if (reason === 'NO_URL') this.#listed++;
    if (this.#count > maxShown) return;
    this.#first.push({ chart: chart.slice(0, maxNameChars), position, reason });
  }

  finish(): LeftOut {
    return { count: this.#count, listed: this.#listed, first: this.#first };
  }
}
