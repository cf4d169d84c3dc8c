import type { GroupPause } from "@redis-batch/core";
import { isoTime } from "../point.ts";
import type { Cell, Column } from "../render/report.ts";

/** A pause of a group, as facts of a report; all unknown without one. */
export function pauseFacts(pause: GroupPause | null): readonly (Column & { readonly value: Cell })[] {
  return [
    { key: "pausedBy", value: pause?.by ?? null },
    { key: "pausedAt", value: isoTime(pause?.sinceMs ?? 0) },
    { key: "pausedUntil", value: isoTime(pause?.untilMs ?? 0) },
    { key: "pauseReason", value: pause?.reason ?? null },
  ];
}
