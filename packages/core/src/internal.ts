/** The door for the sibling packages. Not covered by semantic versioning: they pin this package exactly. */
export type { Backlog, BacklogSource } from "./backlog.ts";
export { type BackoffPolicy, backoffDelayMs } from "./backoff.ts";
export { CallScope } from "./call-scope.ts";
export { type Capabilities, probeCapabilities } from "./capabilities.ts";
export { type Clock, pause, systemClock } from "./clock.ts";
export {
  isAlive,
  NO_DETAILS,
  POOL_VARIABLE,
  type Registration,
  type RegistrationDetails,
} from "./consumer-registry.ts";
export { FIRST_PAGE as FIRST_PAGE_SIZE, nextPageSize } from "./dead-letters/scan.ts";
export { entryIdDate } from "./entry-id.ts";
export { type ErrorInfo, toErrorInfo } from "./error-info.ts";
export { readFinalReports } from "./final-reports.ts";
export {
  followHeartbeats,
  type HeartbeatLook,
  type HeartbeatVerdict,
  type HeartbeatWatch,
  heartbeatMsOf,
  NO_HEARTBEATS,
} from "./heartbeat-watch.ts";
export * from "./index.ts";
export { INSPECT, showAs } from "./inspected.ts";
export { instanceName } from "./instance-name.ts";
export { bookkeepingKeys, groupKey, hashTag, idempotencyKey, isOwnKey } from "./keys.ts";
export { LeaderLease } from "./leader-lease.ts";
export { Lifecycle, type LifecycleState } from "./lifecycle.ts";
export { encodeShownJson, quoteName, showBytes } from "./names.ts";
export { nullIfForbidden } from "./null-if-forbidden.ts";
export { createNotifier, createTeller, tell } from "./observer.ts";
export { didYouMean, OptionsReader } from "./options.ts";
export { describeShape, guardPayload } from "./payload-guard.ts";
export { pendingPages } from "./pending-pages.ts";
export { type Random, systemRandom } from "./random.ts";
export { readBacklog } from "./read-backlog.ts";
export { lendCluster } from "./redis/lend-cluster.ts";
export { createRedisStreamClient } from "./redis/redis-stream-client.ts";
export { parseRedisUrl } from "./redis/server-address.ts";
export { repeatPasses } from "./repeat-passes.ts";
export { isReservedConsumer, LATER, REDRIVE_CONSUMER, RELEASED } from "./reserved-consumers.ts";
export { aclRules, RIGHTS, type Role } from "./rights.ts";
export { readService, readStream } from "./service-options.ts";
export { onAbort } from "./signals.ts";
export type { AddOutcome, ConnectionEvent, StreamClient } from "./stream-client.ts";
export { asError, describeThrown, isError, isThenable, letGoOfParts, messageOf, placeOf } from "./thrown.ts";
export { describeConnectionEvent, nameService, Warnings, warningObserver } from "./warnings.ts";
export type { HandOverRefusal } from "./wire/atomic/hand-over.ts";
export type { HeartbeatDetails } from "./wire/atomic/heartbeat.ts";
export type { DueTime } from "./wire/atomic/read-due.ts";
export type { DeliveredEntry, RedeliverOwnOptions, RedeliverOwnResult } from "./wire/atomic/redeliver-own.ts";
export type { FinalReport } from "./wire/atomic/remove-if-empty.ts";
export type { TakeOptions, TakeResult } from "./wire/atomic/take.ts";
export type { StreamEntry } from "./wire/entry.ts";
export { SENT_COMMANDS, type SentCommand } from "./wire/harmless-call.ts";
export { payloadBytesOf, textOf } from "./wire/packed-entry.ts";
export type { ConsumerInfo, GroupInfo } from "./wire/xinfo.ts";
export type { PendingEntry } from "./wire/xpending.ts";
export { addBatch, NO_WORK, type WorkCounters } from "./work-counters.ts";
