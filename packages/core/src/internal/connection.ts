/**
 * How a service talks to its server: the port, and who makes it; what a server can, and what a user may.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */

export { sourceOfAddress } from "../redis/address-source.ts";
export { type Capabilities, probeCapabilities } from "../redis/capabilities.ts";
export { type Dependencies, dependenciesOf } from "../redis/dependencies.ts";
export { createRedisStreamClient } from "../redis/redis-stream-client.ts";
export {
  aclRules,
  CLUSTER_RULES,
  type Extra,
  extrasOf,
  RIGHTS,
  type Role,
  rulesOf,
} from "../redis/rights.ts";
export { isClusterAddress, parseRedisUrl } from "../redis/server-address.ts";
export { SharedConnection } from "../redis/shared-connection.ts";
export { STAND_IN, type StandIn } from "../redis/stand-in.ts";
export type { AddOutcome, ConnectionEvent, StreamClient } from "../stream-client.ts";
export { SENT_COMMANDS } from "../wire/probe-command.ts";
