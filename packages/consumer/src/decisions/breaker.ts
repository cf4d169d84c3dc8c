/**
 * Tells a sink that is down from messages that are poison. While batches fail whole, and neither a single message that
 * was part of all of them nor one that is known to be bad can be to blame, it is not the messages: the breaker opens,
 * and they are spared.
 */
import { type BackoffPolicy, backoffDelayMs, type EntryId, type Random } from "@redis-batch/core/internal";

export interface Breaker {
  readonly state: BreakerState;
  /** Messages that have failed by themselves, in a batch of one, since the last success. */
  readonly failedAlone: ReadonlySet<EntryId>;
  /** Messages that have failed although the sink was there: that they go on failing says nothing about it. */
  readonly bad: ReadonlySet<EntryId>;
}

type BreakerState =
  | {
      readonly kind: "closed";
      /** Messages that were part of every batch that has failed since the last success; `null` before the first. */
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
}

export interface BreakerPolicy {
  readonly retry: BackoffPolicy;
  readonly maxDeliveries: number;
}

const NO_FAILURE = { kind: "closed", suspects: null, failed: new Set<EntryId>() } as const;
const NONE: ReadonlySet<EntryId> = new Set();
export const CLOSED: Breaker = { state: NO_FAILURE, failedAlone: NONE, bad: NONE };

// Fewer messages than this that fail are just as well a few bad messages.
const LEAST_FAILED = 3;
// So often messages fail that have done nothing wrong, until a sink that goes down is seen to be down.
const MOST_INNOCENT = 3;
// Enough to see that they are many; a backlog's worth of ids need not be kept.
const MOST_REMEMBERED = 1_000;

/** Whether a batch that goes well changes nothing. */
export function isUntroubled({ state, failedAlone }: Breaker): boolean {
  return state === NO_FAILURE && failedAlone.size === 0;
}

/** Takes in how a batch ended of which somebody has said it. */
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

/** Opens it for another reason than how batches ended: others succeed with what fails here. */
export function openBreaker(breaker: Breaker, nowMs: number, retry: BackoffPolicy, random: Random): Breaker {
  return { ...breaker, state: openFor(1, nowMs, nowMs, retry, random) };
}

/**
 * Whether failures count towards `maxDeliveries`: not while the sink is taken to be down. Nothing distinguishes a sink
 * that never comes back from messages that are all poison, so after `maxOutageMs` without a success they count again.
 */
export function decideCounting({ state }: Breaker, maxOutageMs: number, nowMs: number): boolean {
  return state.kind === "closed" || nowMs - state.sinceMs >= maxOutageMs;
}

/** @param before what was tried before the last message that succeeded */
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
  // One bad message is reason enough for a batch to fail.
  if (tried.some(({ id, deliveries }) => bad.has(id) || isTriedOften(deliveries, maxDeliveries))) return state;
  const { suspects } = state;
  const ids = tried.map(({ id }) => id);
  const stillSuspect = new Set(suspects === null ? ids : ids.filter((id) => suspects.has(id)));
  const failed = remember(state.failed, tried);
  if (stillSuspect.size === 0 && failed.size >= LEAST_FAILED) return openFor(1, nowMs, nowMs, retry, random);
  return { kind: "closed", suspects: stillSuspect, failed };
}

/** Only deliveries that count are in the count, so most of these were while others succeeded. */
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

/** The newest are kept. */
function remember(known: ReadonlySet<EntryId>, more: readonly { readonly id: EntryId }[]): ReadonlySet<EntryId> {
  const all = new Set(known);
  for (const { id } of more) all.add(id);
  return all.size <= MOST_REMEMBERED ? all : new Set([...all].slice(-MOST_REMEMBERED));
}
