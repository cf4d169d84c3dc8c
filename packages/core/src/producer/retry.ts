import { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
import { ConnectionError, ServerStateError } from "../errors/errors.ts";
import type { Random } from "../service/random.ts";

export type RetryDecision = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "give-up" };

const BACKOFF: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/**
 * Decides whether an add with an idempotency key is retried after `failures` failed attempts, the first of them
 * `elapsedMs` ago. Only temporary errors are retried: a failed connection, whatever the outcome of the add, and a server
 * that temporarily refuses commands.
 */
export function decideRetry(
  error: unknown,
  failures: number,
  elapsedMs: number,
  retryForMs: number,
  random: Random,
): RetryDecision {
  if (!ConnectionError.is(error) && !ServerStateError.is(error)) return { kind: "give-up" };
  const delayMs = backoffDelayMs(failures, BACKOFF, random);
  return elapsedMs + delayMs < retryForMs ? { kind: "retry", delayMs } : { kind: "give-up" };
}
