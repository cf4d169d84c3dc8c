/** Follows released messages until consumers have claimed them, usually within a second. */

import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { ConsumerInfo, Registration } from "@redis-batch/core/internal/groups";
import { isReservedConsumer, RELEASED } from "@redis-batch/core/internal/names";
import { type Clock, pause } from "@redis-batch/core/internal/service";
import type { Taken } from "./clean-up-report.ts";

// Consumers check once a second.
const LONGEST_MS = 2_000;
const LOOK_MS = 200;

export interface FollowReleasedContext {
  readonly client: Pick<StreamClient, "xinfoConsumers" | "registry">;
  readonly clock: Clock;
  readonly stream: string;
  readonly signal: AbortSignal;
}

/** Each consumer's pending and acknowledged messages: those that it claims are in one or the other. */
export type Shares = ReadonlyMap<string, number>;

/** Waits up to two seconds until all are claimed; ends early if none are → which consumers have claimed them; `null` if the group no longer exists. */
export async function followReleased(
  { client, clock, stream, signal }: FollowReleasedContext,
  group: string,
  { shares: before, hasTaker }: { readonly shares: Shares; readonly hasTaker: boolean },
  released: number,
): Promise<Taken | null> {
  const untilMs = clock.nowMs() + (hasTaker ? LONGEST_MS : 0);
  const address = { stream, group };
  try {
    for (;;) {
      const infos = await client.xinfoConsumers(address);
      const waiting = infos.find(({ name }) => name === RELEASED)?.pending ?? 0;
      if (waiting === 0 || clock.nowMs() >= untilMs || signal.aborted) {
        const now = sumShares(infos, await client.registry(address));
        const by = [...now]
          .map(([consumer, share]) => ({ consumer, messages: Math.min(share - (before.get(consumer) ?? 0), released) }))
          .filter(({ messages }) => messages > 0)
          .toSorted((one, other) => (one.consumer < other.consumer ? -1 : 1));
        return { waiting, by };
      }
      await pause(clock, LOOK_MS, signal);
    }
  } catch (error) {
    if (!NoGroupError.is(error)) throw error;
    return null;
  }
}

/** The shares at one moment, without reserved names. */
export function sumShares(infos: readonly ConsumerInfo[], registry: ReadonlyMap<string, Registration>): Shares {
  const consumers = infos.filter(({ name }) => !isReservedConsumer(name));
  return new Map(consumers.map(({ name, pending }) => [name, pending + (registry.get(name)?.details.acked ?? 0)]));
}
