/** The options of alerts. Each is written here, and nowhere else. */
import type { Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { AlertsEvent } from "./events.ts";

export const ALERTS_SPEC = {
  /**
   * Receives every event, each notice among them. Give this, or `webhookUrl`, or both. Without one, notices that are not
   * delivered are reported as process warnings.
   */
  observer: {
    ...{ kind: "function", value: {} as Observer<AlertsEvent>, otherwise: "process warnings" },
    about: "receives every event, including each notice; set this, `webhookUrl`, or both",
  },
  /** Where notices are sent with POST, as JSON: `https://…` or `http://…`. A user and password in it are sent as such. */
  webhookUrl: { kind: "own", value: "" as string, about: "URL to which notices are sent with POST, as JSON" },
  /** What notices are signed with, 16 characters or more (`docs/alerts.md`). Default: they are not signed. */
  webhookSecret: {
    ...{ kind: "own", value: "" as string, otherwise: "not signed" },
    about: "secret to sign notices with, 16 characters or more",
  },
  /** More headers for the webhook, such as `authorization`. */
  webhookHeaders: {
    ...{ kind: "own", value: {} as Readonly<Record<string, string>>, otherwise: "none" },
    about: "additional headers for the webhook, such as `authorization`",
  },
  /** How long an attempt may take, in milliseconds, 10 to 600,000. Default 10,000. */
  timeoutMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 10_000 },
    about: "maximum time of one delivery attempt",
  },
  /** The wait before the second attempt, in milliseconds, 10 to 600,000. Default 1,000; it doubles, spread by chance. */
  retryBaseMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 1_000 },
    about: "wait before the second attempt; doubles with each attempt, with jitter",
  },
  /** No wait is longer, in milliseconds, 10 to 3,600,000, not below `retryBaseMs`. Default 60,000. */
  retryCapMs: {
    ...{ kind: "milliseconds", min: 10, max: 3_600_000, default: 60_000, notBelow: "retryBaseMs" },
    about: "longest such wait",
  },
  /** How many passes in a row a problem must last before it is announced, 1 to 1,000. Default 3. */
  fireAfterPasses: {
    ...{ kind: "integer", min: 1, max: 1_000, default: 3 },
    about: "consecutive passes with a problem before it is announced",
  },
  /** How long it must be wrong as well, in milliseconds, 0 to 86,400,000. Default 0. */
  fireAfterMs: {
    ...{ kind: "milliseconds", min: 0, max: 86_400_000, default: 0 },
    about: "minimum time of the problem before it is announced",
  },
  /** How many passes in a row must be without the problem before its end is announced, 1 to 1,000. Default 3. */
  resolveAfterPasses: {
    ...{ kind: "integer", min: 1, max: 1_000, default: 3 },
    about: "consecutive passes without the problem before its end is announced",
  },
  /** How long all must be well as well, in milliseconds, 0 to 86,400,000. Default 0. */
  resolveAfterMs: {
    ...{ kind: "milliseconds", min: 0, max: 86_400_000, default: 0 },
    about: "minimum time without the problem before its end is announced",
  },
  /** Whether consumers raise alerts as well as groups. Default `true`. */
  perConsumer: { kind: "flag", default: true, about: "whether consumers raise alerts as well as groups" },
  /** How often the delivery of a notice is tried, 1 to 100. Default 10. */
  maxAttempts: {
    ...{ kind: "integer", min: 1, max: 100, default: 10 },
    about: "delivery attempts per notice",
  },
  /** How many notices wait for their delivery, 1 to 100,000. Default 1,000. Beyond it the oldest is given up. */
  queueLimit: {
    ...{ kind: "integer", min: 1, max: 100_000, default: 1_000 },
    about: "maximum notices that wait for delivery; the oldest is given up beyond that",
  },
  /** How long `close` tries to deliver what is left, in milliseconds, 0 to 600,000. Default 5,000. */
  drainMs: {
    ...{ kind: "milliseconds", min: 0, max: 600_000, default: 5_000 },
    about: "maximum time that `close()` tries to deliver the remaining notices",
  },
} as const satisfies OptionSpecs;
