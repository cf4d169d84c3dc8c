/** Numbers, times and names as people read them. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const small = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 2 });

const UNKNOWN = "–";

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) >= 1_000_000 ? compact.format(value) : whole.format(value);
}

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return value === 0 || value >= 10 ? count(value) : small.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** In its largest unit: `4 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  const [unit, size] =
    UNITS.find(([, length]) => ms >= 2 * length) ?? (ms >= 1_000 ? (["s", 1_000] as const) : ["ms", 1]);
  return `${Math.floor(Math.max(ms, 0) / size)} ${unit}`;
}

const PERIODS: Readonly<Record<number, string>> = { 1000: "second", 60000: "minute", 3600000: "hour", 86400000: "day" };

/** `600 per minute`. */
export const limit = ({ messages, perMs }: { readonly messages: number; readonly perMs: number }): string =>
  `${count(messages)} per ${PERIODS[perMs] ?? duration(perMs)}`;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", {
  ...{ year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
});

/** The time of day; with the date if it is not today. */
export function time(atMs: number | null | undefined): string {
  if (atMs === null || atMs === undefined || !Number.isFinite(atMs) || Math.abs(atMs) > 8e15) return UNKNOWN;
  const date = new Date(atMs);
  return (date.toDateString() === new Date().toDateString() ? clock : day).format(date);
}

const LONGEST_NAME = 300;
const SHOWN_END = 100;

/** A name, as it can be seen; of a long one its beginning and its end. */
export function shortName(name: string): string {
  const text = visible(name);
  if (text.length <= LONGEST_NAME) return text;
  // By characters: half of a surrogate pair would be shown as a box.
  const all = Array.from(text);
  return all.length <= LONGEST_NAME
    ? text
    : `${all.slice(0, LONGEST_NAME - SHOWN_END).join("")}…${all.slice(-SHOWN_END).join("")}`;
}

/**
 * Any text of others, as it can be seen: control characters, marks that turn the direction of the text, and bytes that are
 * no text are written out.
 */
export function visible(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- they are what is written out
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (one) => {
      const code = one.charCodeAt(0);
      if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    },
  );
}
