import type { Row } from "./scenario.ts";
import type { Spread } from "./statistics.ts";

/** The rows as a table for people. */
export function renderRows(rows: readonly Row[], referenceName: string): string {
  const cells = [
    ["", "ours", referenceName, "ours / reference (min – median – max)"],
    ...rows.map(({ metric, ours, reference, ratio }) => [
      metric,
      figure(ours.median),
      figure(reference.median),
      `${ratio.min.toFixed(2)} – ${ratio.median.toFixed(2)} – ${ratio.max.toFixed(2)}`,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => (line[column] as string).length)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => align(cell, widths[column] as number, column))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A row as one JSON object. */
export function rowAsJson({ scenario, metric, ours, reference, ratio }: Row): string {
  const round = ({ min, median, max }: Spread): Spread => ({ min: short(min), median: short(median), max: short(max) });
  return JSON.stringify({
    scenario,
    metric,
    ours: short(ours.median),
    reference: short(reference.median),
    ratio: round(ratio),
  });
}

const short = (value: number): number => Number(value.toPrecision(4));

const figure = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);

const align = (cell: string, width: number, column: number): string =>
  column === 0 ? cell.padEnd(width) : cell.padStart(width);
