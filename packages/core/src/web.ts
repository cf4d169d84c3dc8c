/**
 * The door for the HTTP code that the sibling packages share: a small server, signed webhooks, Prometheus' formats. It
 * loads `node:http`, so applications must not load it. Not covered by semantic versioning.
 */
export { deliverWebhook } from "./web/deliver.ts";
export type { DeliveryPolicy } from "./web/delivery.ts";
export {
  asLabelValue,
  chooseFormat,
  encodeLabels,
  PROMETHEUS_CONTENT_TYPES,
  type PrometheusFormat,
  renderExposition,
} from "./web/exposition.ts";
export { createGuard, type HttpServer, startHttpServer } from "./web/http-server.ts";
export { type VerifySignatureOptions, verifySignature } from "./web/signature.ts";
export { describeTarget, readWebhook, type WebhookTarget } from "./web/webhook.ts";
