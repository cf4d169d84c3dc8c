/** The door for the sibling packages. Not covered by semantic versioning: they pin this package exactly. */

export { encodeValue } from "./codecs/encode-fields.ts";
export { describeShape, guardPayload } from "./codecs/payload-guard.ts";
export { readLetter } from "./dead-letters/letter.ts";
export { FIRST_PAGE as FIRST_PAGE_SIZE, nextPageSize } from "./dead-letters/scan.ts";
export type { Backlog, BacklogSource } from "./decisions/backlog.ts";
export { type BackoffPolicy, backoffDelayMs } from "./decisions/backoff.ts";
export {
  followHeartbeats,
  type HeartbeatLook,
  type HeartbeatVerdict,
  type HeartbeatWatch,
  heartbeatMsOf,
  NO_HEARTBEATS,
} from "./decisions/heartbeat-watch.ts";
export { type ErrorInfo, toErrorInfo } from "./errors/error-info.ts";
export { nullIfForbidden } from "./errors/null-if-forbidden.ts";
export { asError, describeThrown, isError, isThenable, letGoOfParts, messageOf, placeOf } from "./errors/thrown.ts";
export {
  decodeRegistry,
  isAlive,
  NO_DETAILS,
  POOL_VARIABLE,
  type Registration,
  type RegistrationDetails,
} from "./groups/consumer-registry.ts";
export { readFinalReports } from "./groups/final-reports.ts";
export { LeaderLease } from "./groups/leader-lease.ts";
export { pendingPages } from "./groups/pending-pages.ts";
export { readBacklog } from "./groups/read-backlog.ts";
export { addBatch, NO_WORK, type WorkCounters } from "./groups/work-counters.ts";
export * from "./index.ts";
export { entryIdDate } from "./names/entry-id.ts";
export { bookkeepingKeys, groupKey, hashTag, idempotencyKey, isOwnKey } from "./names/keys.ts";
export { encodeShownJson, quoteName, showBytes } from "./names/names.ts";
export { isReservedConsumer, LATER, REDRIVE_CONSUMER, RELEASED } from "./names/reserved-consumers.ts";
export {
  type DefaultsOf,
  defaultsOf,
  type OptionSpec,
  type OptionSpecs,
  type OptionsOf,
  type PolicyOf,
  type WithRedis,
} from "./options/option-spec.ts";
export { didYouMean, OptionsReader } from "./options/options-reader.ts";
export { type Capabilities, probeCapabilities } from "./redis/capabilities.ts";
export { createClusterTemplate } from "./redis/cluster-template.ts";
export { type Dependencies, dependenciesOf } from "./redis/dependencies.ts";
export { createRedisStreamClient } from "./redis/redis-stream-client.ts";
export { aclRules, RIGHTS, type Role } from "./redis/rights.ts";
export { parseRedisUrl } from "./redis/server-address.ts";
export { STAND_IN, type StandIn } from "./redis/stand-in.ts";
export { CallScope } from "./service/call-scope.ts";
export { type Clock, pause, systemClock } from "./service/clock.ts";
export { INSPECT, showAs } from "./service/inspected.ts";
export { instanceName } from "./service/instance-name.ts";
export { Lifecycle, type LifecycleState } from "./service/lifecycle.ts";
export { Loop, type NextPassInMs } from "./service/loop.ts";
export { callSafely, createNotifier, createSafeCaller } from "./service/observer.ts";
export { PriorityQueue } from "./service/priority-queue.ts";
export { type Random, systemRandom } from "./service/random.ts";
export { repeatPasses } from "./service/repeat-passes.ts";
export { onAbort } from "./service/signals.ts";
export { describeConnectionEvent, nameService, Warnings, warningObserver } from "./service/warnings.ts";
export type { AddOutcome, ConnectionEvent, StreamClient } from "./stream-client.ts";
export type { HandOverRefusal } from "./wire/atomic/hand-over.ts";
export { encodeTold, type HeartbeatDetails } from "./wire/atomic/heartbeat.ts";
export type { LeaseAnswer } from "./wire/atomic/hold-lease.ts";
export { inStreamOrder } from "./wire/atomic/own-messages.ts";
export type { DueTime } from "./wire/atomic/read-due.ts";
export type { DeliveredEntry, RedeliverOwnOptions, RedeliverOwnResult } from "./wire/atomic/redeliver-own.ts";
export type { FinalReport } from "./wire/atomic/remove-if-empty.ts";
export type { TakeOptions, TakeResult } from "./wire/atomic/take.ts";
export type { StreamEntry } from "./wire/entry.ts";
export { payloadBytesOf, textOf } from "./wire/packed-entry.ts";
export { SENT_COMMANDS, type SentCommand } from "./wire/probe-command.ts";
export type { ConsumerInfo, GroupInfo } from "./wire/xinfo.ts";
export type { PendingEntry } from "./wire/xpending.ts";
