import type { GroupHealth } from "@redis-batch/monitor";
import type { OverviewGroup } from "../commands/overview.ts";
import { healthTone } from "./group-report.ts";
import type { Column, Row } from "./report.ts";

/** The columns of `status` and `top`. The reason is the last to be cut. */
export const OVERVIEW_COLUMNS: readonly Column[] = [
  { key: "stream" },
  { key: "group" },
  { key: "health", tone: (health) => healthTone(health as GroupHealth) },
  { key: "waiting", unit: "count" },
  { key: "oldestMs", title: "oldest", unit: "ms" },
  { key: "inPerSecond", title: "in/s", unit: "count" },
  { key: "outPerSecond", title: "out/s", unit: "count" },
  { key: "pending", unit: "count" },
  { key: "deadLetters", title: "dead", unit: "count", tone: (count) => (Number(count) > 0 ? "warn" : undefined) },
  { key: "consumers", unit: "count" },
  { key: "reason", isProse: true },
];

export function overviewRow({ stream, ageMs, waiting, report }: OverviewGroup): Row {
  const { group, health, reason, pending, deadLetters, inPerSecond, outPerSecond, consumers } = report;
  return {
    ...{ stream, group, health, waiting, oldestMs: ageMs, pending, deadLetters, reason },
    inPerSecond: rounded(inPerSecond),
    outPerSecond: rounded(outPerSecond),
    consumers: consumers.filter(({ status }) => status !== "DEAD" && status !== "LEFT").length,
  };
}

const rounded = (rate: number | null): number | null => (rate === null ? null : Math.round(10 * rate) / 10);
