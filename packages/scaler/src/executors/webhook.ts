import { encodeShownJson } from "@redis-batch/core/internal/names";
import { type DefaultsOf, defaultsOf, type OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { systemClock, systemRandom } from "@redis-batch/core/internal/service";
import {
  type DeliveryPolicy,
  deliverWebhook,
  describeTarget,
  readWebhook,
  type WebhookTarget,
} from "@redis-batch/core/web";
import type { Executor } from "../executor.ts";
import { instruct } from "./instruction.ts";
import { OrderedWorkforce } from "./ordered-workforce.ts";
import { WEBHOOK_SPEC } from "./webhook-spec.ts";

export interface WebhookExecutorOptions extends OptionsOf<typeof WEBHOOK_SPEC> {}

/** The values of options that are not given. */
export const WEBHOOK_DEFAULTS: DefaultsOf<typeof WEBHOOK_SPEC> = defaultsOf(WEBHOOK_SPEC);

/**
 * An executor that sends every order to a webhook: a {@link ScaleInstruction} as JSON, signed like the monitor's alerts
 * (`verifyOrderSignature`), with the header `redis-batch-order: <term>.<sequence>`, the same at each attempt. A receiver
 * must refuse orders that are earlier than the last one it carried out (`isEarlierOrder`) with 409. Active consumers are
 * known by their heartbeats.
 *
 * @throws {ConfigError} naming every problem, and no part of an address or a secret
 */
export function webhookExecutor(options: WebhookExecutorOptions): Executor {
  const { target, delivery } = resolveWebhookOptions(options);
  const workforce = new OrderedWorkforce();
  return {
    name: `webhook ${describeTarget(target)}`,
    status: async () => workforce.status(),
    async scale(decision, signal, order) {
      const body = encodeShownJson(instruct(decision, order));
      const headers = { "redis-batch-order": `${order.term}.${order.sequence}` };
      const end = await deliverWebhook({
        ...{ target, body, headers, policy: delivery, clock: systemClock, random: systemRandom },
        ...{ draining: signal, givingUp: signal },
      });
      if (end.kind === "delivered") return workforce.ordered(decision.desired);
      throw new Error(
        `${end.reason ?? `${describeTarget(target)} was given up because it was to end`}, after ${end.attempts} attempts`,
      );
    },
  };
}

function resolveWebhookOptions(options: WebhookExecutorOptions): {
  readonly target: WebhookTarget;
  readonly delivery: DeliveryPolicy;
} {
  const reader = new OptionsReader("webhookExecutor", options, Object.keys(WEBHOOK_SPEC));
  const { url, secret, headers, timeoutMs, maxAttempts, retryBaseMs, retryCapMs } = reader.read(WEBHOOK_SPEC);
  const names = { url: "url", secret: "secret", headers: "headers" };
  const target = readWebhook(reader, { url, secret, headers }, names, { userAgent: "redis-batch-scaler", timeoutMs });
  // Without a target there is a problem, and finish() throws.
  const complete = target ?? { url: new URL("http://localhost"), secret: null, headers: {}, userAgent: "", timeoutMs };
  return reader.finish({
    target: complete,
    delivery: { maxAttempts, backoff: { baseMs: retryBaseMs, capMs: retryCapMs } },
  });
}
