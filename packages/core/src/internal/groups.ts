/**
 * What is known of a consumer group: who works in it, whose heartbeat has stopped, how much waits, and who leads.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export type { Backlog, BacklogSource } from "../decisions/backlog.ts";
export {
  followHeartbeats,
  type HeartbeatVerdict,
  type HeartbeatWatch,
  heartbeatMsOf,
  NO_HEARTBEATS,
} from "../decisions/heartbeat-watch.ts";
export {
  decodeRegistry,
  isAlive,
  NO_DETAILS,
  POOL_VARIABLE,
  type Registration,
  type Registry,
} from "../groups/consumer-registry.ts";
export { readFinalReports } from "../groups/final-reports.ts";
export { LeaderLease } from "../groups/leader-lease.ts";
export {
  assurePartitions,
  decodePartitions,
  joinPartitions,
  readPartitions,
  refusePartitions,
} from "../groups/partition-count.ts";
export { pendingPages } from "../groups/pending-pages.ts";
export { readBacklog } from "../groups/read-backlog.ts";
export { addBatch, NO_WORK, type WorkCounters } from "../groups/work-counters.ts";
export { partitionsKey } from "../names/partitions.ts";
export {
  encodeTold,
  type HeartbeatDetails,
  type HeartbeatJoin,
  type HeartbeatResult,
} from "../wire/atomic/heartbeat.ts";
export type { LeaseAnswer } from "../wire/atomic/hold-lease.ts";
export type { PauseChange, PauseOrder } from "../wire/atomic/pause-group.ts";
export type { FinalReport } from "../wire/atomic/remove-if-empty.ts";
export { describePause, PAUSE_FIELD, parseGroupPause, pauseInForce } from "../wire/group-pause.ts";
export {
  describeRate,
  encodeRateLimit,
  isSameRate,
  parseRateLimit,
  RATE_FIELD,
} from "../wire/rate-limit.ts";
export type { ConsumerInfo, GroupInfo } from "../wire/xinfo.ts";
export type { PendingEntry } from "../wire/xpending.ts";
