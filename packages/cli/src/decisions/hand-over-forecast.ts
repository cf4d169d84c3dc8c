/** What `reassign` would move, before anything moves. The server's scripts judge by the same rules when it does. */
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import type { HandOverRefusal } from "@redis-batch/core/internal/messages";

export interface HandOverFacts {
  /** The consumer that holds the messages, as it is registered; `undefined` for one that is not of Redis Batch. */
  readonly owner: Registration | undefined;
  readonly target: Registration | undefined;
  /** Whether the target may be any name. */
  readonly toAny: boolean;
  /** `--min-idle`. */
  readonly minIdleMs: number;
  readonly nowMs: number;
}

export type HandOverForecast =
  | { readonly kind: "refused"; readonly why: HandOverRefusal }
  /** Messages move that have been idle for so long. */
  | { readonly kind: "allowed"; readonly idleMs: number };

/** Whether messages may move between two consumers. */
export function forecastHandOver({ owner, target, toAny, minIdleMs, nowMs }: HandOverFacts): HandOverForecast {
  if (isAlive(owner, nowMs)) return { kind: "refused", why: "owner-alive" };
  if (!toAny && target === undefined) return { kind: "refused", why: "target-unknown" };
  if (!toAny && !isAlive(target, nowMs)) return { kind: "refused", why: "target-silent" };
  return { kind: "allowed", idleMs: owner?.leaseMs ?? minIdleMs };
}

/** How many messages can move now, and how long the last of the others has to wait. */
export interface Movable {
  readonly movable: number;
  readonly waitMs: number;
}

/** Counts a page of idle times. A negative one has no idle time, and may move at once. */
export function countMovable(before: Movable, idleTimesMs: readonly number[], idleMs: number): Movable {
  let { movable, waitMs } = before;
  for (const idle of idleTimesMs) {
    if (idle < 0 || idle >= idleMs) movable++;
    else waitMs = Math.max(waitMs, idleMs - idle);
  }
  return { movable, waitMs };
}
