/** Which consumers read several streams: one process reports to each of them, under the same name. */
import type { ConsumerReport, MonitorReport } from "@redis-batch/monitor";

type Known = Pick<ConsumerReport, "consumer" | "host" | "pid">;

interface Seen {
  readonly stream: string;
  readonly groups: readonly { readonly group: string; readonly consumers: readonly Known[] }[];
}

/** The streams of each consumer, by group, name and process. Who does not tell its process cannot be known again. */
export function findStreamsOfConsumers(
  reports: Iterable<Seen | MonitorReport>,
): ReadonlyMap<string, readonly string[]> {
  const streams = new Map<string, string[]>();
  for (const { stream, groups } of reports) {
    for (const { group, consumers } of groups) {
      for (const consumer of consumers) {
        const key = keyOfProcess(group, consumer);
        if (key === null) continue;
        const known = streams.get(key);
        if (known === undefined) streams.set(key, [stream]);
        else known.push(stream);
      }
    }
  }
  return streams;
}

/** The streams that consumers of a group read as well, by their names. Consumers of this stream alone are left out. */
export function otherStreamsOf(
  {
    stream,
    group,
    consumers,
  }: { readonly stream: string; readonly group: string; readonly consumers: readonly Known[] },
  streams: ReadonlyMap<string, readonly string[]>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    consumers.flatMap((consumer) => {
      const others = (streams.get(keyOfProcess(group, consumer) ?? "") ?? []).filter((one) => one !== stream);
      return others.length === 0 ? [] : [[consumer.consumer, others.toSorted()]];
    }),
  );
}

const keyOfProcess = (group: string, { consumer, host, pid }: Known): string | null =>
  host === null || pid === null ? null : JSON.stringify([group, consumer, host, pid]);
