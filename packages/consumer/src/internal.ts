/** The door for `@redis-batch/testing`. Not covered by semantic versioning: it pins this package exactly. */
export { applyOutcome } from "./handler.ts";
export {
  isRecordedMessage,
  type RecordedBatch,
  type RecordedMessage,
  type RecordedOutcome,
  recordBatch,
  recordMessage,
} from "./recorded.ts";
