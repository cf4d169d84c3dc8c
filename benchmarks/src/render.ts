/** Rows as a table for people, and as lines for programs. */
import type { Measure, Target } from "./figures.ts";
import type { Row } from "./rows.ts";
import type { Spread } from "./statistics.ts";

/** The rows of one scenario as a table for a terminal. */
export function renderRows(
  rows: readonly Row[],
  { oursName, referenceName }: { readonly oursName: string; readonly referenceName: string },
): string {
  const cells = [
    ["", oursName, referenceName, "ratio (min – median – max)", "target", ""],
    ...rows.map((row) => [
      row.metric,
      figure(row.ours.median),
      figure(row.reference.median),
      spread(row.ratio),
      row.target === null ? "" : targetText(row.target),
      verdict(row),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 || column > 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A row as one JSON object: medians, and the ratio with its spread. */
export function rowAsJson({ scenario, metric, ours, reference, ratio, target, met, noisy }: Row): string {
  return JSON.stringify({
    scenario,
    metric,
    ours: short(ours.median),
    reference: short(reference.median),
    ratio: ratio === null ? null : { min: short(ratio.min), median: short(ratio.median), max: short(ratio.max) },
    target: target === null ? null : targetText(target),
    met,
    noisy,
  });
}

const NAMES: Readonly<Record<Measure, string>> = { ours: "ours", ratio: "ratio", difference: "ours − reference" };

/** `ratio ≤ 0.5`. */
export function targetText({ of, bound, value }: Target): string {
  return `${NAMES[of]} ${bound === "at most" ? "≤" : "≥"} ${value}`;
}

/** Whether the target was met, and whether to believe it. */
export function verdict({ met, noisy }: Pick<Row, "met" | "noisy">): string {
  const what = met === null ? [] : [met ? "met" : "missed"];
  return [...what, ...(noisy ? ["noisy"] : [])].join(", ");
}

/** Three figures that matter, thousands apart. */
export function figure(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

/** The smallest, the middle, the largest; a dash where there is nothing to tell. */
export function spread(figures: Spread | null): string {
  if (figures === null) return "–";
  const { min, median, max } = figures;
  return [min, median, max].map((value) => (Math.abs(value) >= 100 ? figure(value) : value.toFixed(2))).join(" – ");
}

const short = (value: number): number => Number(value.toPrecision(4));
