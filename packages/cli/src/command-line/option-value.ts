import type { OptionSpec } from "./spec.ts";

export type Value = string | number | boolean;

export type ReadValue =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "wrong"; readonly why: string };

/** Reads the value given for an option. */
export function parseOptionValue(spec: OptionSpec, text: string | undefined): ReadValue {
  if (spec.kind === "flag") {
    return text === undefined ? { kind: "value", value: true } : { kind: "wrong", why: "takes no value" };
  }
  if (text === undefined) return { kind: "wrong", why: "needs a value" };
  switch (spec.kind) {
    case "name":
    case "text":
      return text === "" ? { kind: "wrong", why: "must not be empty" } : { kind: "value", value: text };
    case "choice":
      return spec.choices.includes(text)
        ? { kind: "value", value: text }
        : { kind: "wrong", why: `must be one of ${spec.choices.join(", ")}, not "${text}"` };
    case "number": {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= spec.min && value <= spec.max
        ? { kind: "value", value }
        : { kind: "wrong", why: `must be a whole number from ${spec.min} to ${spec.max}, not "${text}"` };
    }
    case "duration": {
      const value = parseDuration(text);
      const range = `from ${formatDuration(spec.minMs)} to ${formatDuration(spec.maxMs)}`;
      return value !== undefined && value >= spec.minMs && value <= spec.maxMs
        ? { kind: "value", value }
        : { kind: "wrong", why: `must be a time such as 500ms, 5s, 10m, 2h or 7d, ${range}, not "${text}"` };
    }
  }
}

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `1.5s`, `10m`, `2h`, `7d` as milliseconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Math.round(Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]);
}

/** The shortest way to write a time that {@link parseDuration} reads back. */
export function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(UNITS_MS)
    .toReversed()
    .find(([, unitMs]) => ms >= unitMs && ms % unitMs === 0) ?? ["ms", 1];
  return ms === 0 ? "0" : `${ms / size}${unit}`;
}
