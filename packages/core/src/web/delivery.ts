import { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
import type { Random } from "../service/random.ts";

/** The result of one attempt to deliver to a webhook. */
export type AttemptOutcome =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The receiver's `Retry-After`; `null` if there is none. */
      readonly retryAfterMs: number | null;
    }
  /** No answer: the reason, without the contents or the address. */
  | { readonly kind: "failed"; readonly why: string };

export type DeliveryDecision =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly inMs: number; readonly why: string }
  | { readonly kind: "giveUp"; readonly why: string };

export interface DeliveryPolicy {
  readonly maxAttempts: number;
  readonly backoff: BackoffPolicy;
}

/**
 * Decides what follows an attempt. Permanent answers (a redirection, a refusal) end it. Temporary failures (no answer,
 * 408, 425, 429, 5xx) are retried, not before the receiver's `Retry-After`, but at most `backoff.capMs` later.
 */
export function decideDelivery(
  outcome: AttemptOutcome,
  attempt: number,
  { maxAttempts, backoff }: DeliveryPolicy,
  random: Random,
): DeliveryDecision {
  if (outcome.kind === "answered" && outcome.status >= 200 && outcome.status < 300) return { kind: "delivered" };
  const why = outcome.kind === "failed" ? outcome.why : `answered ${outcome.status}`;
  if (outcome.kind === "answered" && !mayPass(outcome.status)) return { kind: "giveUp", why };
  if (attempt >= maxAttempts) return { kind: "giveUp", why };
  const asked = outcome.kind === "answered" ? (outcome.retryAfterMs ?? 0) : 0;
  const inMs = Math.min(backoff.capMs, Math.max(asked, backoffDelayMs(attempt, backoff, random)));
  return { kind: "retry", inMs, why };
}

function mayPass(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}
