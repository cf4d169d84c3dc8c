/** The consumers of a stream with partitions: in the registries beside the logical stream, one for each group. */
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { isAlive } from "@redis-batch/core/internal/groups";
import type { Member } from "./decisions/merge-reports.ts";
import type { MonitorReport } from "./report.ts";

/** The living consumers of each group that there is in one of the partitions, by the group's name. */
export async function readMembers(
  client: Pick<StreamClient, "registry">,
  stream: string,
  parts: readonly { readonly report: MonitorReport }[],
): Promise<ReadonlyMap<string, readonly Member[]>> {
  const names = new Set(parts.flatMap(({ report }) => report.groups.map(({ group }) => group)));
  const nowMs = Math.max(...parts.map(({ report }) => report.atMs));
  const members = [...names].map(async (group) => {
    const registry = await client.registry({ stream, group });
    const living = [...registry.values()].filter((one) => isAlive(one, nowMs));
    return [
      group,
      living.map(({ consumer, atMs, leaseMs, details }) => ({
        ...{ consumer, leaseMs, idleMs: Math.max(0, nowMs - atMs), partitions: details.partitions ?? [] },
        ...{ capacity: details.capacity, intake: details.intake, host: details.host, pid: details.pid },
      })),
    ] as const;
  });
  return new Map(await Promise.all(members));
}
