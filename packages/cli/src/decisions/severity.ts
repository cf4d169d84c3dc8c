/** How bad the health of a group is, and which group comes first. */
import type { GroupHealth } from "@redis-batch/monitor";

export type Severity = "ok" | "warning" | "critical";

/** A single pass sees no trend, so UNKNOWN is not held against the group. */
export const SEVERITY: Readonly<Record<GroupHealth, Severity>> = {
  OK: "ok",
  UNKNOWN: "ok",
  "FALLING BEHIND": "warning",
  REWOUND: "warning",
  PAUSED: "warning",
  STALLED: "critical",
  STOPPED: "critical",
  FAILING: "critical",
  AHEAD: "critical",
};

/** What the order of groups depends on. */
export interface Ranked {
  readonly stream: string;
  readonly group: string;
  readonly health: GroupHealth;
  readonly waiting: number | null;
  readonly ageMs: number | null;
}

export const SORTS = ["worst", "waiting", "age", "name"] as const;
export type Sort = (typeof SORTS)[number];

const RANKS: Readonly<Record<Severity, number>> = { ok: 0, warning: 1, critical: 2 };

/** Compares two groups; among equals their names decide, so that rows keep their places. */
export function compareGroups(sort: Sort): (one: Ranked, other: Ranked) => number {
  return (one, other) => {
    const byName = byText(one.stream, other.stream) || byText(one.group, other.group);
    switch (sort) {
      case "worst":
        return (
          RANKS[SEVERITY[other.health]] - RANKS[SEVERITY[one.health]] ||
          magnitude(other.ageMs) - magnitude(one.ageMs) ||
          byName
        );
      case "waiting":
        return (other.waiting ?? -1) - (one.waiting ?? -1) || byName;
      case "age":
        return (other.ageMs ?? -1) - (one.ageMs ?? -1) || byName;
      case "name":
        return byName;
    }
  };
}

/** Ages count by their order of magnitude, so that rows do not change places all the time. */
const magnitude = (ageMs: number | null): number => (ageMs === null ? 0 : Math.floor(Math.log10(ageMs / 1_000 + 1)));
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
