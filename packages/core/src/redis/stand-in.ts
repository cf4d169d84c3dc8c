/** A Redis that is not a server: what the `redis` option takes in a test, and how the services use it. */

import { ConfigError } from "../errors/errors.ts";
import type { Clock } from "../service/clock.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";

/** Two installed copies of this package have one brand, so either takes what was made for the other. */
export const STAND_IN: unique symbol = Symbol.for("@redis-batch/stand-in");

/**
 * A Redis that is not a server, for tests: `memoryRedis()` of `@redis-batch/testing` makes one. Pass the same object to
 * every service of a test, and they work on the same streams.
 */
export interface RedisStandIn {
  /** For the services. Opaque: what it holds changes without notice. */
  readonly [STAND_IN]: object;
}

/** What a stand-in holds. */
export interface StandIn {
  /** The time of everything that is connected to it. */
  readonly clock: Clock;
  /** Makes a client that is not connected. */
  createClient(options: { readonly report?: ((event: ConnectionEvent) => void) | undefined }): StreamClient;
}

export function isStandIn(source: unknown): source is RedisStandIn {
  return typeof source === "object" && source !== null && STAND_IN in source;
}

/**
 * What a stand-in holds, whichever copy of this package has made it.
 *
 * @throws {ConfigError} when it is not what this version understands
 */
export function heldBy(standIn: RedisStandIn): StandIn {
  const held: unknown = standIn[STAND_IN];
  if (typeof held === "object" && held !== null && "clock" in held && "createClient" in held) return held as StandIn;
  throw new ConfigError("redis", [
    "this in-memory Redis was made by another version: install the same version of all @redis-batch packages",
  ]);
}
