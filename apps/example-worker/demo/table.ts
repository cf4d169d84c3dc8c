export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Separated from the rows. */
  readonly footer: readonly string[];
}

/** The table as lines of text: the first column aligned left, numbers right. */
export function renderTable({ header, rows, footer }: Table): readonly string[] {
  const all = [header, ...rows, footer];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("   ");
  const rule = "─".repeat(line(header).length);
  return [line(header), rule, ...rows.map(line), rule, line(footer)];
}
