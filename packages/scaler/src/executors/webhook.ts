import { encodeShownJson } from "@redis-batch/core/internal/names";
import { OptionsReader } from "@redis-batch/core/internal/options";
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

export interface WebhookExecutorOptions {
  /** The URL that receives orders as POST requests with JSON: `https://…` or `http://…`. A user and password in it are sent. */
  readonly url: string;
  /** The secret that signs orders, 16 characters or more. Default: they are not signed. */
  readonly secret?: string | undefined;
  /** More headers, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Maximum attempts to deliver an order, 1 to 100. Default 3: the next decision tries again in any case. */
  readonly maxAttempts?: number | undefined;
  /** The wait before the second attempt, in milliseconds, 10 to 600,000. Default 500; it doubles, with jitter. */
  readonly retryBaseMs?: number | undefined;
  /** Maximum wait, in milliseconds, 10 to 600,000. Default 5,000. */
  readonly retryCapMs?: number | undefined;
  /** Maximum time of an attempt, in milliseconds, 10 to 600,000. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** The values of options that are not given. */
export const WEBHOOK_DEFAULTS = { maxAttempts: 3, retryBaseMs: 500, retryCapMs: 5_000, timeoutMs: 5_000 } as const;

const KNOWN = [
  "url",
  "secret",
  "headers",
  ...(Object.keys(WEBHOOK_DEFAULTS) as (keyof typeof WEBHOOK_DEFAULTS)[]),
] as const satisfies readonly (keyof WebhookExecutorOptions)[];

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
  const reader = new OptionsReader("webhookExecutor", options, KNOWN);
  const integer = (name: keyof typeof WEBHOOK_DEFAULTS, min: number, max: number): number =>
    reader.integer(name, { default: WEBHOOK_DEFAULTS[name], min, max });
  const timeoutMs = integer("timeoutMs", 10, 600_000);
  const baseMs = integer("retryBaseMs", 10, 600_000);
  const capMs = integer("retryCapMs", 10, 600_000);
  if (capMs < baseMs) reader.problem(`retryCapMs (${capMs}) must not be below retryBaseMs (${baseMs})`);
  const maxAttempts = integer("maxAttempts", 1, 100);
  const { url, secret, headers } = options;
  const names = { url: "url", secret: "secret", headers: "headers" };
  const target = readWebhook(reader, { url, secret, headers }, names, { userAgent: "redis-batch-scaler", timeoutMs });
  // Without a target there is a problem, and finish() throws.
  const complete = target ?? { url: new URL("http://localhost"), secret: null, headers: {}, userAgent: "", timeoutMs };
  return reader.finish({ target: complete, delivery: { maxAttempts, backoff: { baseMs, capMs } } });
}
