/**
 * Tells a sink that is down from poison messages. If whole batches fail, and neither a message that was in all of them nor one
 * that is known to be bad can be the cause, the messages are not to blame: the breaker opens, and spares them.
 */

import type { EntryId } from "@redis-batch/core";
import { type BackoffPolicy, backoffDelayMs, type Random } from "@redis-batch/core/internal/service";

export interface Breaker {
  readonly state: BreakerState;
  /** Messages that have failed alone, in a batch of one, since the last success. */
  readonly failedAlone: ReadonlySet<EntryId>;
  /** Messages that failed while the sink was up: if they fail again, that says nothing about the sink. */
  readonly bad: ReadonlySet<EntryId>;
}

type BreakerState =
  | {
      readonly kind: "closed";
      /** Messages that were in every failed batch since the last success; `null` before the first failure. */
      readonly suspects: ReadonlySet<EntryId> | null;
      /** How many different messages have failed since the last success. */
      readonly failed: ReadonlySet<EntryId>;
    }
  /** One message at a time, at growing intervals, until one succeeds. */
  | { readonly kind: "open"; readonly sinceMs: number; readonly attempts: number; readonly notBeforeMs: number };

/** A message of a batch that has ended, in the batch's order. */
export interface TriedMessage {
  readonly id: EntryId;
  readonly deliveries: number;
  readonly hasSucceeded: boolean;
  /** Whether it is known from elsewhere that it has failed while the sink was there. */
  readonly isKnownBad?: boolean | undefined;
}

export interface BreakerPolicy {
  readonly retry: BackoffPolicy;
  readonly maxDeliveries: number;
}

const NO_FAILURE = { kind: "closed", suspects: null, failed: new Set<EntryId>() } as const;
const NONE: ReadonlySet<EntryId> = new Set();
export const CLOSED: Breaker = { state: NO_FAILURE, failedAlone: NONE, bad: NONE };

// If fewer messages fail, they may simply be bad.
const LEAST_FAILED = 3;
// How often a good message may fail until it is clear that the sink is down.
const MOST_INNOCENT = 3;
// Enough to see that there are many, without keeping the ids of a whole backlog.
const MOST_REMEMBERED = 1_000;

/** Whether a batch that succeeds changes nothing. */
export function isUntroubled({ state, failedAlone }: Breaker): boolean {
  return state === NO_FAILURE && failedAlone.size === 0;
}

/** Takes in the results of a batch. */
export function decideBreaker(
  breaker: Breaker,
  tried: readonly TriedMessage[],
  nowMs: number,
  policy: BreakerPolicy,
  random: Random,
): Breaker {
  const lastSuccess = tried.findLastIndex(({ hasSucceeded }) => hasSucceeded);
  if (lastSuccess >= 0) return afterSuccess(breaker, tried.slice(0, lastSuccess));
  const failedAlone = tried.length === 1 ? remember(breaker.failedAlone, tried) : breaker.failedAlone;
  return { ...breaker, failedAlone, state: afterFailure(breaker, tried, nowMs, policy, random) };
}

/** Opens it because other consumers succeed with messages that fail here. */
export function openBreaker(breaker: Breaker, nowMs: number, retry: BackoffPolicy, random: Random): Breaker {
  return { ...breaker, state: openFor(1, nowMs, nowMs, retry, random) };
}

/**
 * Whether failures count towards `maxDeliveries`: not while the sink seems to be down. A sink that never comes back looks like a
 * backlog of nothing but poison, so after `maxOutageMs` without a success failures count again.
 */
export function decideCounting({ state }: Breaker, maxOutageMs: number, nowMs: number): boolean {
  return state.kind === "closed" || nowMs - state.sinceMs >= maxOutageMs;
}

/** @param before the messages of the batch before the last one that succeeded */
function afterSuccess(breaker: Breaker, before: readonly TriedMessage[]): Breaker {
  const failed = before.filter(({ hasSucceeded }) => !hasSucceeded);
  const isNews = failed.length > 0 || breaker.failedAlone.size > 0 || breaker.state !== NO_FAILURE;
  if (!isNews) return breaker;
  const alone = [...breaker.failedAlone].map((id) => ({ id }));
  return { state: NO_FAILURE, failedAlone: NONE, bad: remember(breaker.bad, [...alone, ...failed]) };
}

function afterFailure(
  { state, bad }: Breaker,
  tried: readonly TriedMessage[],
  nowMs: number,
  { retry, maxDeliveries }: BreakerPolicy,
  random: Random,
): BreakerState {
  if (state.kind === "open") return openFor(state.attempts + 1, state.sinceMs, nowMs, retry, random);
  // One bad message explains why the batch failed.
  if (tried.some((one) => one.isKnownBad || bad.has(one.id) || isTriedOften(one.deliveries, maxDeliveries)))
    return state;
  const { suspects } = state;
  const ids = tried.map(({ id }) => id);
  const stillSuspect = new Set(suspects === null ? ids : ids.filter((id) => suspects.has(id)));
  const failed = remember(state.failed, tried);
  if (stillSuspect.size === 0 && failed.size >= LEAST_FAILED) return openFor(1, nowMs, nowMs, retry, random);
  return { kind: "closed", suspects: stillSuspect, failed };
}

/** Only counted deliveries are in the count, so during most of them other messages succeeded. */
function isTriedOften(deliveries: number, maxDeliveries: number): boolean {
  return deliveries > MOST_INNOCENT && deliveries * 2 > maxDeliveries;
}

function openFor(
  attempts: number,
  sinceMs: number,
  nowMs: number,
  retry: BackoffPolicy,
  random: Random,
): Extract<BreakerState, { kind: "open" }> {
  return { kind: "open", sinceMs, attempts, notBeforeMs: nowMs + backoffDelayMs(attempts, retry, random) };
}

/** Keeps the newest. */
function remember(known: ReadonlySet<EntryId>, more: readonly { readonly id: EntryId }[]): ReadonlySet<EntryId> {
  const all = new Set(known);
  for (const { id } of more) all.add(id);
  return all.size <= MOST_REMEMBERED ? all : new Set([...all].slice(-MOST_REMEMBERED));
}
