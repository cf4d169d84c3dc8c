/** What `top` shows: exactly as many lines as the screen has. */
import type { OverviewGroup } from "../commands/overview.ts";
import { escapeText } from "./escape.ts";
import { OVERVIEW_COLUMNS, overviewRow } from "./overview.ts";
import type { Paint } from "./paint.ts";
import { renderReport } from "./report.ts";
import { clipWidth, fitWidth } from "./width.ts";

interface Foot {
  /** The last event. */
  readonly message: string;
  readonly keys: string;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface TopFrame extends Foot {
  readonly groups: readonly OverviewGroup[];
  /** The selected one; below 0: none. */
  readonly selected: number;
}

// The line of numbers, and the one below it.
const HEAD_LINES = 2;
const FOOT_LINES = 2;
const TABLE_HEAD_LINES = 1;

export function renderTop({ groups, selected, ...foot }: TopFrame, size: Size, paint: Paint): readonly string[] {
  const room = Math.max(size.height - HEAD_LINES - TABLE_HEAD_LINES - FOOT_LINES, 1);
  // The selected row stays in sight.
  const first = Math.min(Math.max(selected - room + 1, 0), Math.max(groups.length - room, 0));
  const shown = groups.slice(first, first + room);
  const counts = new Map<string, number>();
  for (const { health } of groups) counts.set(health, (counts.get(health) ?? 0) + 1);
  const summary = [...counts].map(([health, count]) => `${count} ${health}`).join(" · ");
  const table = {
    key: "groups",
    columns: OVERVIEW_COLUMNS,
    rows: shown.map(overviewRow),
    none: "There are no groups.",
  };
  // Two columns are for the mark.
  const lines = renderReport({ table }, paint, size.width - 2)
    .trimEnd()
    .split("\n");
  const hidden = groups.length - shown.length;
  const head = `${groups.length === 1 ? "1 group" : `${groups.length} groups`}${summary === "" ? "" : `: ${summary}`}`;
  const body = [
    paint(
      "strong",
      fitWidth(`${head}${hidden > 0 ? ` (${first + 1} to ${first + shown.length} shown)` : ""}`, size.width),
    ),
    "",
    ...lines.map((line, at) => `${at - TABLE_HEAD_LINES + first === selected && at > 0 ? "▸ " : "  "}${line}`),
  ];
  return fillScreen(body, foot, size, paint);
}

/** Fills the screen, with the last event and the keys at the bottom. */
export function fillScreen(
  lines: readonly string[],
  { message, keys }: Foot,
  { width, height }: Size,
  paint: Paint,
): readonly string[] {
  const body = lines.slice(0, Math.max(height - FOOT_LINES, 0));
  const gap = Array.from({ length: Math.max(height - body.length - FOOT_LINES, 0) }, () => "");
  return [...body, ...gap, fitWidth(escapeText(message), width), paint("quiet", fitWidth(keys, width))]
    .slice(-height)
    .map((line) => clipWidth(line, width));
}
