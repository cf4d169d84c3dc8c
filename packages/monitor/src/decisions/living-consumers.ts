/** Which consumers of a group can be expected to process messages. */
import type { Registration } from "@redis-batch/core/internal/groups";
import type { ConsumerReport, ConsumerStatus } from "../report.ts";
import type { ConsumerCounts } from "./group-health.ts";

interface Rules {
  readonly idleThresholdMs: number;
}

const FAILING: readonly ConsumerStatus[] = ["FAILING", "BACKING OFF"];
const HELD_UP: readonly ConsumerStatus[] = ["PAUSED", "HELD UP"];

/** How many of the consumers can be expected to work, and what keeps the others from it. */
export function countConsumers(
  consumers: readonly ConsumerReport[],
  policy: Rules,
  nothingWaits: boolean,
): ConsumerCounts {
  const living = consumers.filter((consumer) => isLiving(consumer, policy, nothingWaits));
  return {
    living: living.length,
    stalled: living.filter(({ status }) => status === "STALLED").length,
    failing: living.filter(({ status }) => FAILING.includes(status)).length,
    // One whose keys are blocked works on the messages that block them.
    heldUp: living.filter(({ status, intake }) => HELD_UP.includes(status) && intake !== "key-blocked").length,
  };
}

/** Those that can be expected to go on while the group is paused. */
export function listNotObeying(
  consumers: readonly ConsumerReport[],
  registry: ReadonlyMap<string, Registration>,
  policy: Rules,
  nothingWaits: boolean,
): readonly string[] {
  return consumers
    .filter((one) => isLiving(one, policy, nothingWaits))
    .map(({ consumer }) => consumer)
    .filter((consumer) => registry.get(consumer)?.details.obeysPause !== true);
}

/** Whether it can be expected to process messages. */
function isLiving(
  { status, foreign, idleMs }: ConsumerReport,
  { idleThresholdMs }: Rules,
  nothingWaits: boolean,
): boolean {
  if (status === "DEAD" || status === "LEFT") return false;
  // It finishes its messages, and reads no more.
  if (status === "DRAINING") return nothingWaits;
  return status === "OK" || !foreign || idleMs <= idleThresholdMs;
}
