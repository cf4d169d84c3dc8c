/** What a service gets from outside; replaced in tests. */
import { type Clock, systemClock } from "../service/clock.ts";
import { type Random, systemRandom } from "../service/random.ts";
import type { RedisSource } from "./open-client.ts";
import { createRedisStreamClient } from "./redis-stream-client.ts";
import { heldBy, isStandIn } from "./stand-in.ts";

export interface Dependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly createClient: typeof createRedisStreamClient;
}

/** Those of a service that connects to `redis`. A stand-in for Redis brings its clock, so that a test has one time. */
export function dependenciesOf(redis: RedisSource): Dependencies {
  const clock = isStandIn(redis) ? heldBy(redis).clock : systemClock;
  return { clock, random: systemRandom, createClient: createRedisStreamClient };
}
