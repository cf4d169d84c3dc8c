import type { Observer } from "@redis-batch/core";
import { type DefaultsOf, defaultsOf, type OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { type DeliveryPolicy, readWebhook, type WebhookTarget } from "@redis-batch/core/web";
import type { AlertingPolicy } from "../decisions/alerting.ts";
import type { AlertsEvent } from "./events.ts";
import { ALERTS_SPEC } from "./spec.ts";

export interface AlertsOptions extends OptionsOf<typeof ALERTS_SPEC> {}

/** The values of options that are not given. */
export const ALERTS_DEFAULTS: DefaultsOf<typeof ALERTS_SPEC> = defaultsOf(ALERTS_SPEC);

/** The options, complete and checked. */
export interface AlertsPolicy {
  readonly observer: Observer<AlertsEvent> | undefined;
  readonly webhook: WebhookTarget | null;
  readonly alerting: AlertingPolicy;
  readonly delivery: DeliveryPolicy;
  readonly queueLimit: number;
  readonly drainMs: number;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem, and no part of an address or a secret
 */
export function resolveAlertsOptions(options: AlertsOptions): AlertsPolicy {
  const reader = new OptionsReader("new Alerts", options, Object.keys(ALERTS_SPEC));
  const policy = reader.read(ALERTS_SPEC);
  const { observer, perConsumer, maxAttempts, retryBaseMs, retryCapMs, queueLimit, drainMs } = policy;
  if (observer === undefined && !reader.has("webhookUrl")) reader.problem("give an observer, a webhookUrl, or both");
  return reader.finish({
    observer,
    webhook: resolveWebhook(reader, options, policy.timeoutMs),
    alerting: {
      fire: { passes: policy.fireAfterPasses, ms: policy.fireAfterMs },
      resolve: { passes: policy.resolveAfterPasses, ms: policy.resolveAfterMs },
      perConsumer,
    },
    delivery: { maxAttempts, backoff: { baseMs: retryBaseMs, capMs: retryCapMs } },
    queueLimit,
    drainMs,
  });
}

function resolveWebhook(reader: OptionsReader, options: AlertsOptions, timeoutMs: number): WebhookTarget | null {
  if (reader.has("webhookUrl")) {
    const { webhookUrl: url, webhookSecret: secret, webhookHeaders: headers } = options;
    const names = { url: "webhookUrl", secret: "webhookSecret", headers: "webhookHeaders" };
    return readWebhook(reader, { url, secret, headers }, names, { userAgent: "redis-batch-monitor", timeoutMs });
  }
  for (const name of ["webhookSecret", "webhookHeaders"]) {
    if (reader.has(name)) reader.problem(`${name} needs webhookUrl`);
  }
  return null;
}
