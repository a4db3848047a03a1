/**
 * Sorts as Go's `sort.Sort` does (pattern-defeating quicksort), in place. It is not stable, and clients see its order of
 * equal elements: a page of Tiller's list of releases by chart ends where that puts it. The names are Go's.
 * Source: https://github.com/golang/go/blob/go1.19/src/sort/zsortinterface.go. The Tiller whose lists are recorded in
 * test/conformance/records was built with 1.19; Gos before 1.19 order equal elements otherwise.
 */
export function goSort<T>(items: T[], isLess: (a: T, b: T) => boolean): T[] {
  new Sorter(items, isLess).sort(0, items.length, bitLength(items.length));
  return items;
}

/** Shorter parts are sorted by insertion. */
const maxInsertion = 12;
/** From this length on the pivot is the median of three medians, and single elements are shifted. */
const longPart = 50;
/** Swaps in choosing a pivot that say that the part is in descending order. */
const maxSwaps = 12;
/** Pairs out of order that are put right in a part that seems sorted. */
const maxShifts = 5;

function bitLength(count: number): number {
  return 32 - Math.clz32(count);
}

class Sorter<T> {
  readonly #items: T[];
  readonly #isLess: (a: T, b: T) => boolean;
  /** Of the pivot that is being chosen. */
  #swaps = 0;

  constructor(items: T[], isLess: (a: T, b: T) => boolean) {
    this.#items = items;
    this.#isLess = isLess;
  }

  sort(start: number, end: number, depth: number): void {
    let [a, b, limit] = [start, end, depth];
    let [wasBalanced, wasPartitioned] = [true, true];
    while (b - a > maxInsertion) {
      const length = b - a;
      if (limit === 0) {
        this.#heapSort(a, b);
        return;
      }
      if (!wasBalanced) {
        this.#breakPatterns(a, b);
        limit--;
      }
      let pivot = this.#choosePivot(a, b);
      const isDescending = this.#swaps === maxSwaps;
      if (isDescending) {
        this.#reverse(a, b);
        pivot = b - 1 - (pivot - a);
      }
      const seemsSorted = wasBalanced && wasPartitioned && (isDescending || this.#swaps === 0);
      if (seemsSorted && this.#partialInsertionSort(a, b)) return;
      if (a > 0 && !this.#less(a - 1, pivot)) {
        a = this.#partitionEqual(a, b, pivot);
        continue;
      }
      const [mid, alreadyPartitioned] = this.#partition(a, b, pivot);
      wasPartitioned = alreadyPartitioned;
      wasBalanced = Math.min(mid - a, b - mid) >= length >> 3;
      if (mid - a < b - mid) {
        this.sort(a, mid, limit);
        a = mid + 1;
      } else {
        this.sort(mid + 1, b, limit);
        b = mid;
      }
    }
    this.#insertionSort(a, b);
  }

  #less(i: number, j: number): boolean {
    return this.#isLess(this.#items[i]!, this.#items[j]!);
  }

  #swap(i: number, j: number): void {
    const item = this.#items[i]!;
    this.#items[i] = this.#items[j]!;
    this.#items[j] = item;
  }

  #insertionSort(a: number, b: number): void {
    for (let i = a + 1; i < b; i++) {
      for (let j = i; j > a && this.#less(j, j - 1); j--) this.#swap(j, j - 1);
    }
  }

  #heapSort(first: number, end: number): void {
    const count = end - first;
    for (let i = (count - 1) >> 1; i >= 0; i--) this.#siftDown(i, count, first);
    for (let i = count - 1; i >= 0; i--) {
      this.#swap(first, first + i);
      this.#siftDown(0, i, first);
    }
  }

  #siftDown(start: number, end: number, first: number): void {
    for (let root = start, child = 2 * root + 1; child < end; root = child, child = 2 * root + 1) {
      if (child + 1 < end && this.#less(first + child, first + child + 1)) child++;
      if (!this.#less(first + root, first + child)) return;
      this.#swap(first + root, first + child);
    }
  }

  #choosePivot(a: number, b: number): number {
    this.#swaps = 0;
    const quarter = (b - a) >> 2;
    let [i, j, k] = [a + quarter, a + quarter * 2, a + quarter * 3];
    if (b - a >= longPart) {
      i = this.#median(i - 1, i, i + 1);
      j = this.#median(j - 1, j, j + 1);
      k = this.#median(k - 1, k, k + 1);
    }
    return this.#median(i, j, k);
  }

  #median(first: number, second: number, third: number): number {
    let [a, b, c] = [first, second, third];
    const order = (low: number, high: number): [number, number] => {
      if (!this.#less(high, low)) return [low, high];
      this.#swaps++;
      return [high, low];
    };
    [a, b] = order(a, b);
    [b, c] = order(b, c);
    [a, b] = order(a, b);
    return b;
  }

  #reverse(a: number, b: number): void {
    for (let [i, j] = [a, b - 1]; i < j; i++, j--) this.#swap(i, j);
  }

  /** @returns where the pivot is then, and whether nothing had to be moved for it */
  #partition(a: number, b: number, pivot: number): [number, boolean] {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    for (let moved = false; ; moved = true) {
      while (i <= j && this.#less(i, a)) i++;
      while (i <= j && !this.#less(j, a)) j--;
      if (i > j) {
        this.#swap(j, a);
        return [j, !moved];
      }
      this.#swap(i++, j--);
    }
  }

  /** @returns where the elements begin that are greater than the pivot */
  #partitionEqual(a: number, b: number, pivot: number): number {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    while (true) {
      while (i <= j && !this.#less(a, i)) i++;
      while (i <= j && this.#less(a, j)) j--;
      if (i > j) return i;
      this.#swap(i++, j--);
    }
  }

  /** @returns whether the part is sorted then */
  #partialInsertionSort(a: number, b: number): boolean {
    let i = a + 1;
    for (let shifts = 0; shifts < maxShifts; shifts++) {
      while (i < b && !this.#less(i, i - 1)) i++;
      if (i === b) return true;
      if (b - a < longPart) return false;
      this.#swap(i, i - 1);
      if (i - a >= 2) for (let j = i - 1; j >= 1 && this.#less(j, j - 1); j--) this.#swap(j, j - 1);
      if (b - i >= 2) for (let j = i + 1; j < b && this.#less(j, j - 1); j++) this.#swap(j, j - 1);
    }
    return false;
  }

  /** Moves three elements to places that look random, the same ones for each length. */
  #breakPatterns(a: number, b: number): void {
    const length = b - a;
    const middle = a + (length >> 2) * 2 - 1;
    const mask = BigInt(2 ** bitLength(length) - 1);
    let random = BigInt(length);
    for (let i = 0; i < 3; i++) {
      random ^= BigInt.asUintN(64, random << 13n);
      random ^= random >> 17n;
      random ^= BigInt.asUintN(64, random << 5n);
      const other = Number(random & mask);
      this.#swap(middle - 1 + i, a + (other >= length ? other - length : other));
    }
  }
}
