/** The door for `@redis-batch/testing`. Not covered by semantic versioning: it pins this package exactly. */
export { applyOutcome } from "./handler.ts";
export { RecordedBatch, RecordedMessage, type RecordedOutcome } from "./recorded.ts";
