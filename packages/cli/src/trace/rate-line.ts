/** One line of a trace: a time, and the arrival rate from then on. */

/** Seconds since any starting point, and messages per second. */
export interface Rate {
  readonly at: number;
  readonly perSecond: number;
}

export type RateLine =
  | ({ readonly kind: "rate" } & Rate)
  | { readonly kind: "heading" }
  | { readonly kind: "malformed"; readonly why: string };

const HEADING = /^"?time"?\s*,\s*"?rate"?$/i;
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
// Without a time zone it would mean another moment on another machine, and daylight saving would skip an hour.
const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i;

/** Reads `{"time":0,"rate":12.5}` or `0,12.5`. A line that begins with `{` is JSON. */
export function parseRateLine(line: string): RateLine {
  const text = line.trim();
  return text.startsWith("{") ? parseJsonLine(text) : parseCsvLine(text);
}

function parseJsonLine(text: string): RateLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed("it is not JSON");
  }
  const { time, rate } = value as { readonly time?: unknown; readonly rate?: unknown };
  if (time === undefined || rate === undefined) return malformed("it must have time and rate");
  return rateOf(typeof time === "string" ? readTime(time) : time, rate);
}

function parseCsvLine(text: string): RateLine {
  if (HEADING.test(text)) return { kind: "heading" };
  const cells = text.split(",").map((cell) => /^"(.*)"$/.exec(cell.trim())?.[1] ?? cell.trim());
  const [time = "", rate = ""] = cells;
  if (cells.length !== 2) return malformed("it must be time and rate with a comma between");
  return rateOf(readTime(time), NUMBER.test(rate) ? Number(rate) : undefined);
}

function rateOf(at: unknown, perSecond: unknown): RateLine {
  if (typeof at !== "number" || !Number.isFinite(at)) {
    return malformed("its time must be seconds, or a date and time with a time zone, such as 2026-01-31T12:00:00Z");
  }
  if (typeof perSecond !== "number" || !Number.isFinite(perSecond) || perSecond < 0) {
    return malformed("its rate must be messages per second, 0 or more");
  }
  return { kind: "rate", at, perSecond };
}

function readTime(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  return MOMENT.test(text) ? Date.parse(text) / 1_000 : undefined;
}

const malformed = (why: string): RateLine => ({ kind: "malformed", why });
