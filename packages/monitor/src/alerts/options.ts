import type { Observer } from "@redis-batch/core";
import { OptionsReader } from "@redis-batch/core/internal/options";
import { type DeliveryPolicy, readWebhook, type WebhookTarget } from "@redis-batch/core/web";
import type { AlertingPolicy } from "../decisions/alerting.ts";
import type { AlertsEvent } from "./events.ts";

export interface AlertsOptions {
  /**
   * Receives every event, each notice among them. Give this, or `webhookUrl`, or both. Without one, notices that are not
   * delivered are reported as process warnings.
   */
  readonly observer?: Observer<AlertsEvent> | undefined;
  /** Where notices are sent with POST, as JSON: `https://…` or `http://…`. A user and password in it are sent as such. */
  readonly webhookUrl?: string | undefined;
  /** What notices are signed with, 16 characters or more (`docs/alerts.md`). Default: they are not signed. */
  readonly webhookSecret?: string | undefined;
  /** More headers for the webhook, such as `authorization`. */
  readonly webhookHeaders?: Readonly<Record<string, string>> | undefined;
  /** Whether consumers raise alerts as well as groups. Default `true`. */
  readonly perConsumer?: boolean | undefined;
  /** How many looks in a row something must be wrong before it is said, 1 to 1,000. Default 3. */
  readonly fireAfterLooks?: number | undefined;
  /** How long it must be wrong as well, in milliseconds, 0 to 86,400,000. Default 0. */
  readonly fireAfterMs?: number | undefined;
  /** How many looks in a row all must be well before that is said, 1 to 1,000. Default 3. */
  readonly resolveAfterLooks?: number | undefined;
  /** How long all must be well as well, in milliseconds, 0 to 86,400,000. Default 0. */
  readonly resolveAfterMs?: number | undefined;
  /** How often the delivery of a notice is tried, 1 to 100. Default 10. */
  readonly maxAttempts?: number | undefined;
  /** The wait before the second attempt, in milliseconds, 10 to 600,000. Default 1,000; it doubles, spread by chance. */
  readonly retryBaseMs?: number | undefined;
  /** No wait is longer, in milliseconds, 10 to 3,600,000. Default 60,000. */
  readonly retryCapMs?: number | undefined;
  /** How long an attempt may take, in milliseconds, 10 to 600,000. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** How many notices wait for their delivery, 1 to 100,000. Default 1,000. Beyond it the oldest is given up. */
  readonly queueLimit?: number | undefined;
  /** How long `close` tries to deliver what is left, in milliseconds, 0 to 600,000. Default 5,000. */
  readonly drainMs?: number | undefined;
}

/** The values of options that are not given. */
export const ALERTS_DEFAULTS = {
  perConsumer: true,
  fireAfterLooks: 3,
  fireAfterMs: 0,
  resolveAfterLooks: 3,
  resolveAfterMs: 0,
  maxAttempts: 10,
  retryBaseMs: 1_000,
  retryCapMs: 60_000,
  timeoutMs: 10_000,
  queueLimit: 1_000,
  drainMs: 5_000,
} as const;

/** The options, complete and checked. */
export interface AlertsPolicy {
  readonly observer: Observer<AlertsEvent> | undefined;
  readonly webhook: WebhookTarget | null;
  readonly alerting: AlertingPolicy;
  readonly delivery: DeliveryPolicy;
  readonly queueLimit: number;
  readonly drainMs: number;
}

const KNOWN = [
  "observer",
  "webhookUrl",
  "webhookSecret",
  "webhookHeaders",
  ...(Object.keys(ALERTS_DEFAULTS) as (keyof typeof ALERTS_DEFAULTS)[]),
] as const satisfies readonly (keyof AlertsOptions)[];

const DAY_MS = 86_400_000;

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem, and no part of an address or a secret
 */
export function resolveAlertsOptions(options: AlertsOptions): AlertsPolicy {
  const reader = new OptionsReader("new Alerts", options, KNOWN);
  const observer = reader.callable("observer", options.observer);
  const integer = (name: Exclude<keyof typeof ALERTS_DEFAULTS, "perConsumer">, min: number, max: number): number =>
    reader.integer(name, { default: ALERTS_DEFAULTS[name], min, max });
  if (observer === undefined && !reader.has("webhookUrl")) reader.problem("give an observer, a webhookUrl, or both");
  const timeoutMs = integer("timeoutMs", 10, 600_000);
  const baseMs = integer("retryBaseMs", 10, 600_000);
  const capMs = integer("retryCapMs", 10, 3_600_000);
  if (capMs < baseMs) reader.problem(`retryCapMs (${capMs}) must not be below retryBaseMs (${baseMs})`);
  return reader.finish({
    observer,
    webhook: resolveWebhook(reader, options, timeoutMs),
    alerting: {
      fire: { looks: integer("fireAfterLooks", 1, 1_000), ms: integer("fireAfterMs", 0, DAY_MS) },
      resolve: { looks: integer("resolveAfterLooks", 1, 1_000), ms: integer("resolveAfterMs", 0, DAY_MS) },
      perConsumer: reader.flag("perConsumer", ALERTS_DEFAULTS.perConsumer),
    },
    delivery: { maxAttempts: integer("maxAttempts", 1, 100), backoff: { baseMs, capMs } },
    queueLimit: integer("queueLimit", 1, 100_000),
    drainMs: integer("drainMs", 0, 600_000),
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
