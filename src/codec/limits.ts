/** How deep messages and JSON values may nest. A chart's dependencies nest as deep as its subcharts, rarely past 5. */
export const maxDepth = 100;
