import type { GoValue } from '../go/value.ts';

/**
 * A value and how it is held. `undefined` is reflect's invalid value (what became of nil once a pipeline handed it on),
 * `null` a nil that still sits in an interface: Go words their errors differently. `inInterface` is whether the place it
 * came from is declared interface {}, which some error texts show instead of the value's own type.
 */
export interface Slot {
  readonly value: GoValue | undefined;
  readonly inInterface: boolean;
}

interface Variable {
  readonly name: string;
  slot: Slot;
}

/** The variables of one template while it runs: a stack, searched from the top. */
export class Scope {
  readonly #variables: Variable[];

  constructor(dollar: Slot) {
    this.#variables = [{ name: '$', slot: dollar }];
  }

  get size(): number {
    return this.#variables.length;
  }

  push(name: string, slot: Slot): void {
    this.#variables.push({ name, slot });
  }

  popTo(size: number): void {
    this.#variables.length = size;
  }

  get(name: string): Slot | undefined {
    return this.#find(name)?.slot;
  }

  /** Assigns the innermost variable of that name. @returns false when there is none */
  assign(name: string, slot: Slot): boolean {
    const variable = this.#find(name);
    if (variable) variable.slot = slot;
    return variable !== undefined;
  }

  /** Sets the variable at the top (1) or just below it (2), as each round of a `range` does. */
  setTop(fromTop: number, slot: Slot): void {
    const variable = this.#variables[this.#variables.length - fromTop];
    if (variable) variable.slot = slot;
  }

  #find(name: string): Variable | undefined {
    for (let index = this.#variables.length - 1; index >= 0; index--) {
      const variable = this.#variables[index]!;
      if (variable.name === name) return variable;
    }
    return undefined;
  }
}
