/** One row of the overview for each group, and which group comes first. */
import type { ConsumerReport, GroupHealth, GroupReport } from "@redis-batch/monitor";

/** A group as the overview shows it. Unknown values are `null`. */
export interface OverviewRow {
  readonly stream: string;
  readonly group: string;
  readonly health: GroupHealth;
  /** Why, in words. */
  readonly reason: string;
  readonly waiting: number | null;
  /** Whether at least that many wait, because counting stopped. */
  readonly isAtLeast: boolean;
  /** How long the oldest message that could be delivered has waited, or if that is unknown, the oldest pending one. */
  readonly ageMs: number | null;
  readonly inPerSecond: number | null;
  readonly outPerSecond: number | null;
  readonly pending: number;
  readonly deadLetters: number;
  /** Dead letters added within the last hour, as far as the dashboard has watched; `null` if it has not. */
  readonly deadLettersLastHour: number | null;
  readonly consumers: number;
  /** Those among them that are not well. */
  readonly unwell: number;
  /** How many the scaler wants; `null` if none has decided. */
  readonly wanted: number | null;
}

// A paused or draining consumer was told to be so.
const WELL: readonly ConsumerReport["status"][] = ["OK", "PAUSED", "DRAINING"];

/** Active consumers: those that have left, or are dead, are not there any more. */
export const activeOf = ({ consumers }: Pick<GroupReport, "consumers">): readonly ConsumerReport[] =>
  consumers.filter(({ status }) => status !== "LEFT" && status !== "DEAD");

export function rowOf(
  stream: string,
  report: GroupReport,
  more: Pick<OverviewRow, "wanted" | "deadLettersLastHour">,
): OverviewRow {
  const { group, health, reason, backlog, pending, deadLetters } = report;
  return {
    ...{ stream, group, health, reason, pending, deadLetters, ...more },
    waiting: backlog.messages,
    isAtLeast: backlog.source === "at least",
    ageMs: ageOf(report),
    inPerSecond: rounded(report.inPerSecond),
    outPerSecond: rounded(report.outPerSecond),
    consumers: activeOf(report).length,
    unwell: report.consumers.filter(({ status }) => !WELL.includes(status) && status !== "LEFT").length,
  };
}

export const ageOf = ({ oldestOfferableMs, oldestWaitingAgeMs, oldestPendingAgeMs }: GroupReport): number | null =>
  oldestOfferableMs ?? oldestWaitingAgeMs ?? oldestPendingAgeMs;

/** Three digits: more would only make rows differ that look alike. */
function rounded(rate: number | null): number | null {
  return rate === null ? null : Number(rate.toPrecision(3));
}

const RANKS: Readonly<Record<GroupHealth, number>> = {
  STOPPED: 5,
  STALLED: 5,
  FAILING: 5,
  AHEAD: 5,
  "FALLING BEHIND": 4,
  REWOUND: 3,
  PAUSED: 3,
  UNKNOWN: 1,
  OK: 0,
};

/**
 * Worst first: by health, then by what else is not right, then by how long messages wait. Ages count by their order of
 * magnitude, so that rows do not change places all the time; among equals the name decides.
 */
export function compareRows(one: OverviewRow, other: OverviewRow): number {
  return (
    rankOf(other) - rankOf(one) ||
    magnitude(other.ageMs) - magnitude(one.ageMs) ||
    byText(one.stream, other.stream) ||
    byText(one.group, other.group)
  );
}

/** From 0, all is well, to 5. */
export function rankOf({ health, unwell, deadLettersLastHour }: OverviewRow): number {
  return Math.max(RANKS[health], unwell > 0 || (deadLettersLastHour ?? 0) > 0 ? 2 : 0);
}

const magnitude = (ageMs: number | null): number => (ageMs === null ? 0 : Math.floor(Math.log10(ageMs / 1_000 + 1)));
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** How many were added, by the counts at several times: a count that falls was redriven or discarded. */
export function countAdded(counts: readonly (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  if (known.length < 2) return null;
  return known.slice(1).reduce((sum, count, at) => sum + Math.max(count - (known[at] ?? 0), 0), 0);
}
