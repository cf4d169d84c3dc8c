/**
 * The result of a command, as values. The table and the JSON are both made from it, so that they have the same content.
 */
import { encodeJson, escapeText } from "./escape.ts";
import type { Paint, Tone } from "./paint.ts";
import { displayWidth, fitWidth, padWidth } from "./width.ts";

export type Cell = string | number | boolean | null;

/** How a table formats a value; JSON has it unchanged. */
export type Unit = "text" | "count" | "ms" | "bytes";

export interface Column {
  /** The name in JSON. */
  readonly key: string;
  /** The heading; default: the key as words. */
  readonly title?: string;
  readonly unit?: Unit;
  readonly tone?: (value: Cell, row: Row) => Tone | undefined;
  /** Whether it is a sentence: the last to be cut where the terminal is narrow. */
  readonly isProse?: boolean;
}

export type Row = Readonly<Record<string, Cell>>;

export interface Report {
  /** Single values, before the table. */
  readonly facts?: readonly (Column & { readonly value: Cell })[];
  readonly table?: {
    /** The name of the list in JSON. */
    readonly key: string;
    readonly columns: readonly Column[];
    readonly rows: readonly Row[];
    /** Shown instead of the table if it has no rows. */
    readonly none: string;
  };
  /** Sentences below, `notes` in JSON. */
  readonly notes?: readonly string[];
}

/** `isLine`: on one line, for NDJSON. */
export function encodeReportJson({ facts = [], table, notes = [] }: Report, isLine = false): string {
  const json: Record<string, unknown> = {};
  for (const { key, value } of facts) json[key] = value;
  if (table !== undefined) {
    json[table.key] = table.rows.map((row) =>
      Object.fromEntries(table.columns.map(({ key }) => [key, row[key] ?? null])),
    );
  }
  if (notes.length > 0) json["notes"] = notes;
  return `${encodeJson(json, isLine ? undefined : 2)}\n`;
}

/** NDJSON: a line for each row of the table; without a table one line with the facts. */
export function encodeRows({ table, ...rest }: Report): string {
  if (table === undefined) return encodeReportJson(rest, true);
  return table.rows
    .map((row) => encodeReportJson({ facts: table.columns.map(({ key }) => ({ key, value: row[key] ?? null })) }, true))
    .join("");
}

/** `width`: of the terminal; without it nothing is cut. */
export function renderReport(report: Report, paint: Paint, width?: number): string {
  const { facts = [], table, notes = [] } = report;
  const parts: string[][] = [];
  if (facts.length > 0) parts.push(factLines(facts, paint));
  if (table !== undefined) parts.push(table.rows.length === 0 ? [table.none] : tableLines(table, paint, width));
  if (notes.length > 0) parts.push(notes.map(escapeText));
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function factLines(facts: NonNullable<Report["facts"]>, paint: Paint): string[] {
  const longest = Math.max(...facts.map((fact) => titleOf(fact).length));
  return facts.map((fact) => {
    const tone = fact.tone?.(fact.value, {});
    const text = renderCell(fact.value, fact.unit);
    return `${titleOf(fact).padEnd(longest)}  ${tone === undefined ? text : paint(tone, text)}`;
  });
}

function tableLines({ columns, rows }: NonNullable<Report["table"]>, paint: Paint, width?: number): string[] {
  const cells = rows.map((row) => columns.map(({ key, unit }) => renderCell(row[key] ?? null, unit)));
  const heads = columns.map((column) => titleOf(column).toUpperCase());
  const widths = heads.map((head, at) =>
    Math.max(displayWidth(head), ...cells.map((line) => displayWidth(line[at] ?? ""))),
  );
  const fitted =
    width === undefined
      ? widths
      : shrink(
          widths,
          columns.map(({ isProse }, at) => leastOf(widths[at] ?? 0, heads[at] ?? "", isProse === true)),
          width - 2 * (columns.length - 1),
        );
  const line = (texts: readonly string[], tones: readonly (Tone | undefined)[]): string =>
    texts
      .map((text, at) => {
        const isLast = at === texts.length - 1;
        const align = isNumeric(columns[at]?.unit) ? "right" : "left";
        const cut = fitWidth(text, fitted[at] ?? 0);
        const padded = isLast && align === "left" ? cut : padWidth(cut, fitted[at] ?? 0, align);
        const tone = tones[at];
        return tone === undefined ? padded : paint(tone, padded);
      })
      .join("  ");
  return [
    line(
      heads,
      heads.map(() => "strong"),
    ),
    ...rows.map((row, at) =>
      line(
        cells[at] ?? [],
        columns.map(({ key, tone }) => tone?.(row[key] ?? null, row)),
      ),
    ),
  ];
}

// As much of a sentence as tells what it is about.
const LEAST_PROSE = 60;

/** To how many columns one may be narrowed first, and at last. */
function leastOf(width: number, head: string, isProse: boolean): readonly [first: number, last: number] {
  const last = Math.min(width, Math.max(displayWidth(head), 8));
  return [isProse ? Math.min(width, LEAST_PROSE) : last, last];
}

/** Narrows the widest columns until the line fits: sentences only when nothing else can be cut any more. */
function shrink(widths: readonly number[], least: readonly (readonly [number, number])[], most: number): number[] {
  const once = narrow(
    widths,
    least.map(([first]) => first),
    most,
  );
  return narrow(
    once,
    least.map(([, last]) => last),
    most,
  );
}

function narrow(widths: readonly number[], least: readonly number[], most: number): number[] {
  const fitted = [...widths];
  for (let over = fitted.reduce((sum, width) => sum + width, 0) - most; over > 0; over--) {
    const room = fitted.map((width, at) => width - (least[at] ?? 0));
    const widest = fitted.reduce(
      (best, width, at) => ((room[at] ?? 0) > 0 && width > (fitted[best] ?? 0) ? at : best),
      room.findIndex((free) => free > 0),
    );
    if (widest < 0) break;
    fitted[widest] = (fitted[widest] ?? 0) - 1;
  }
  return fitted;
}

const isNumeric = (unit: Unit | undefined): boolean => unit === "count" || unit === "ms" || unit === "bytes";

function titleOf({ key, title }: Column): string {
  return title ?? key.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

function renderCell(value: Cell, unit: Unit = "text"): string {
  if (value === null) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value === "" ? '""' : escapeText(value);
  switch (unit) {
    case "ms":
      return renderDuration(value);
    case "bytes":
      return renderBytes(value);
    default:
      return unit === "count" ? value.toLocaleString("en") : String(value);
  }
}

/** `350ms`, `12.3s`, `4m05s`, `3h02m`, `12d4h`. */
export function renderDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const [minutes, hours] = [Math.floor(ms / 60_000), Math.floor(ms / 3_600_000)];
  if (hours < 1) return `${minutes}m${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}s`;
  if (hours < 48) return `${hours}h${String(minutes % 60).padStart(2, "0")}m`;
  return `${Math.floor(hours / 24)}d${hours % 24}h`;
}

function renderBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power] ?? ""}`;
}
