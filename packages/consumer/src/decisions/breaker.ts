/**
 * Tells a sink that is down from messages that are poison. While batches fail whole, and no single message can be to
 * blame because none was part of all of them, it is not the messages: the breaker opens, and they are spared.
 */
import { type BackoffPolicy, backoffDelayMs, type EntryId, type Random } from "@redis-batch/core/internal";

export type Breaker =
  | {
      readonly kind: "closed";
      /** Messages that were part of every batch that has failed since the last success; `null` before the first. */
      readonly suspects: ReadonlySet<EntryId> | null;
      /** How many different messages have failed since the last success. */
      readonly failed: ReadonlySet<EntryId>;
    }
  /** One message at a time, at growing intervals, until one succeeds. */
  | { readonly kind: "open"; readonly attempts: number; readonly notBeforeMs: number };

/** How a batch ended: `succeeded` for at least one message, `failed` for all, or nobody has said. */
export type BatchEnd = "succeeded" | "failed" | "unsaid";

export const CLOSED: Breaker = { kind: "closed", suspects: null, failed: new Set() };

// Fewer messages than this that fail are just as well a few bad messages.
const LEAST_FAILED = 3;
// Enough to see that they are many; a backlog's worth of ids need not be kept.
const MOST_REMEMBERED = 1_000;

export function decideBreaker(
  breaker: Breaker,
  end: BatchEnd,
  ids: readonly EntryId[],
  nowMs: number,
  policy: BackoffPolicy,
  random: Random,
): Breaker {
  if (end === "succeeded") return CLOSED;
  if (end === "unsaid") return breaker;
  if (breaker.kind === "open") return openFor(breaker.attempts + 1, nowMs, policy, random);
  const { suspects } = breaker;
  const stillSuspect = new Set(suspects === null ? ids : ids.filter((id) => suspects.has(id)));
  const failed = new Set([...breaker.failed, ...ids].slice(0, MOST_REMEMBERED));
  if (stillSuspect.size === 0 && failed.size >= LEAST_FAILED) return openFor(1, nowMs, policy, random);
  return { kind: "closed", suspects: stillSuspect, failed };
}

function openFor(attempts: number, nowMs: number, policy: BackoffPolicy, random: Random): Breaker {
  return { kind: "open", attempts, notBeforeMs: nowMs + backoffDelayMs(attempts, policy, random) };
}
