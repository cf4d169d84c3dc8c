import { type Clock, pause } from "../service/clock.ts";
import type { Random } from "../service/random.ts";
import { type DeliveryPolicy, decideDelivery } from "./delivery.ts";
import { describeTarget, sendWebhook, type WebhookTarget } from "./webhook.ts";

export interface DeliverOptions {
  readonly target: WebhookTarget;
  readonly body: string;
  /** Headers of this body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly policy: DeliveryPolicy;
  /** Called with a failed attempt that is followed by another, and the delay in milliseconds. */
  readonly onRetry?: (attempt: number, retryInMs: number, reason: string) => void;
  /** Aborts when there is no more time for another attempt; a wait ends, the attempt under way does not. */
  readonly draining: AbortSignal;
  /** Aborts the attempt under way, too. */
  readonly givingUp: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** How a delivery ended, and after how many attempts. */
export type DeliveryEnd =
  | { readonly kind: "delivered"; readonly attempts: number }
  /** Why the last attempt failed; it names the receiver, but no part of an address that may be secret. */
  | { readonly kind: "undelivered"; readonly attempts: number; readonly reason: string }
  /** A signal ended it; `null`: before the attempt that was next. */
  | { readonly kind: "stopped"; readonly attempts: number; readonly reason: string | null };

/** Sends a body to a webhook, and again until it is delivered or given up. Never rejects. */
export async function deliverWebhook(options: DeliverOptions): Promise<DeliveryEnd> {
  const { target, body, headers, policy, onRetry, draining, givingUp, clock, random } = options;
  for (let attempt = 1; ; attempt++) {
    if (givingUp.aborted) return { kind: "stopped", attempts: attempt - 1, reason: null };
    const outcome = await sendWebhook(target, { body, headers }, givingUp);
    const decision = decideDelivery(outcome, attempt, policy, random);
    if (decision.kind === "delivered") return { kind: "delivered", attempts: attempt };
    const reason = `${describeTarget(target)} ${decision.why}`;
    if (decision.kind === "giveUp") return { kind: "undelivered", attempts: attempt, reason };
    if (draining.aborted) return { kind: "stopped", attempts: attempt, reason };
    onRetry?.(attempt, decision.inMs, reason);
    await pause(clock, decision.inMs, draining);
  }
}
