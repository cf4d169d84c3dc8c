/** The options of the executor that sends orders to a webhook. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";

export const WEBHOOK_SPEC = {
  /** The URL that receives orders as POST requests with JSON: `https://…` or `http://…`. A user and password in it are sent. */
  url: { kind: "own", required: true, value: "" as string, about: "URL to which orders are sent with POST, as JSON" },
  /** The secret that signs orders, 16 characters or more. Default: they are not signed. */
  secret: {
    ...{ kind: "own", value: "" as string, otherwise: "not signed" },
    about: "secret to sign orders with, 16 characters or more",
  },
  /** More headers, such as `authorization`. */
  headers: {
    ...{ kind: "own", value: {} as Readonly<Record<string, string>>, otherwise: "none" },
    about: "additional headers, such as `authorization`",
  },
  /** Maximum time of an attempt, in milliseconds, 10 to 600,000. Default 5,000. */
  timeoutMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 5_000 },
    about: "maximum time of one delivery attempt",
  },
  /** The wait before the second attempt, in milliseconds, 10 to 600,000. Default 500; it doubles, with jitter. */
  retryBaseMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 500 },
    about: "wait before the second attempt; doubles with each attempt, with jitter",
  },
  /** Maximum wait, in milliseconds, 10 to 600,000, not below `retryBaseMs`. Default 5,000. */
  retryCapMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 5_000, notBelow: "retryBaseMs" },
    about: "longest such wait",
  },
  /** Maximum attempts to deliver an order, 1 to 100. Default 3: the next decision tries again in any case. */
  maxAttempts: {
    ...{ kind: "integer", min: 1, max: 100, default: 3 },
    about: "delivery attempts per order",
  },
} as const satisfies OptionSpecs;
