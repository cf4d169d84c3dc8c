/** What is pending in a group and held by no consumer, in words. */
import { isReservedConsumer, LATER } from "@redis-batch/core/internal";
import type { Report } from "./report.ts";

/** What it means that a message is pending under this name; `null` for a consumer's. */
export function describeReservedName(name: string): string | null {
  if (!isReservedConsumer(name)) return null;
  return name === LATER ? "deferred until its time" : "released, waiting for any consumer";
}

/** How much is pending under such names. */
export function reservedFacts(pending: ReadonlyMap<string, number>): NonNullable<Report["facts"]> {
  let released = 0;
  for (const [name, count] of pending) if (isReservedConsumer(name) && name !== LATER) released += count;
  return [
    { key: "released", title: "released, waiting for any consumer", value: released, unit: "count" },
    { key: "deferred", title: "deferred until their time", value: pending.get(LATER) ?? 0, unit: "count" },
  ];
}
