import type { OptionGroup } from '../option.ts';

/** Where charts may come from, and the bounds on fetching them. */
export const chartOptions = {} satisfies OptionGroup;
