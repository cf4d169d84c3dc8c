/** Sends the heartbeat of another consumer, which is running and idle unless `details` say otherwise. */
import type { StreamClient } from "@redis-batch/core/internal/connection";

type Heartbeat = Parameters<StreamClient["heartbeat"]>[0];

export function sendHeartbeat(
  client: StreamClient,
  { stream, group, consumer, leaseMs }: Pick<Heartbeat, "stream" | "group" | "consumer" | "leaseMs">,
  details: Partial<Heartbeat["details"]> = {},
): ReturnType<StreamClient["heartbeat"]> {
  return client.heartbeat({
    ...{ stream, group, consumer, incarnation: consumer, leaseMs, join: undefined },
    details: {
      ...{ host: "h", pid: 1, state: "running", batchSize: 1, concurrency: 1, capacity: 1, inFlight: 0, deferred: 0 },
      ...details,
    },
  });
}
