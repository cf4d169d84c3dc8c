/** Describes the reserved names of pending messages that no consumer holds. */
import { isReservedConsumer, LATER } from "@redis-batch/core/internal/names";
import type { Report } from "./report.ts";

/** The meaning of a reserved name; `null` for a consumer's name. */
export function describeReservedName(name: string): string | null {
  if (!isReservedConsumer(name)) return null;
  return name === LATER ? "deferred until its time" : "released, waiting for any consumer";
}

/** The number of messages pending under reserved names. */
export function reservedFacts(pending: ReadonlyMap<string, number>): NonNullable<Report["facts"]> {
  let released = 0;
  for (const [name, count] of pending) if (isReservedConsumer(name) && name !== LATER) released += count;
  return [
    { key: "released", title: "released, waiting for any consumer", value: released, unit: "count" },
    { key: "deferred", title: "deferred until their time", value: pending.get(LATER) ?? 0, unit: "count" },
  ];
}
