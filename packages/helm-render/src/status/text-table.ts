/** Spaces between columns, and the least width of one with them: kubectl's tab writer. */
const padding = 3;
const leastWidth = 6;

/** Lines of cells in columns; the last column is not filled up. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map(row => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(leastWidth, ...rows.map(row => Array.from(row[column] ?? '').length + padding)),
  );
  const fill = (cell: string, column: number, row: readonly string[]) =>
    column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - Array.from(cell).length);
  return rows.map(row => `${row.map((cell, column) => fill(cell, column, row)).join('')}\n`).join('');
}
