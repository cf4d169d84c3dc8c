/** The public door. */
export type { FollowedBatch, FollowedMessage, FollowedStart, FoundContext, SettledIds } from "./followed.ts";
export {
  contextOfBatch,
  contextOfMessage,
  type FollowedTrace,
  type OpenTelemetryInstrumentation,
  openTelemetry,
} from "./open-telemetry.ts";
export { OPEN_TELEMETRY_DEFAULTS, type OpenTelemetryOptions } from "./options.ts";
