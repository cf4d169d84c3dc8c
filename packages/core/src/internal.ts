/** The door for the sibling packages. Not covered by semantic versioning: they pin this package exactly. */
export { type BackoffPolicy, backoffDelayMs } from "./backoff.ts";
export { type Capabilities, probeCapabilities } from "./capabilities.ts";
export { type Clock, pause, systemClock } from "./clock.ts";
export { isAlive, type Registration } from "./consumer-registry.ts";
export * from "./index.ts";
export { groupKey, hashTag } from "./keys.ts";
export { Lifecycle, type LifecycleState } from "./lifecycle.ts";
export { createNotifier } from "./observer.ts";
export { OptionsReader } from "./options.ts";
export { guardPayload } from "./payload-guard.ts";
export { type Random, systemRandom } from "./random.ts";
export { createRedisStreamClient } from "./redis/redis-stream-client.ts";
export { onAbort } from "./signals.ts";
export type { AddOutcome, ConnectionEvent, StreamClient } from "./stream-client.ts";
export type { BeatDetails } from "./wire/atomic/beat.ts";
export type { DeliveredEntry } from "./wire/atomic/recover-own.ts";
export { REDRIVE_CONSUMER } from "./wire/atomic/redrive.ts";
export type { StreamEntry } from "./wire/entry.ts";
