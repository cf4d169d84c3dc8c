/** One observation of a group: a few commands, none of which grows with the backlog. */

import { compareEntryIds, entryIdTimeMs, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import {
  type ConsumerInfo,
  pauseInForce,
  readBacklog,
  readFinalReports,
  readPartitions,
} from "@redis-batch/core/internal/groups";
import { isReservedConsumer, LATER } from "@redis-batch/core/internal/names";
import { classifyConsumers, peersIn } from "./decisions/consumer-activity.ts";
import { observeRate } from "./decisions/rate-limit.ts";
import type { PeerConsumer, Workforce } from "./executor.ts";
import type { Observation } from "./observation.ts";
import type { ScalerPolicy } from "./scaler-options.ts";

// Longer than the time between two passes, and shorter than a consumer's counts are remembered.
const FAREWELLS_MS = 300_000;

export interface Snapshot {
  readonly observation: Observation;
  readonly workforce: Workforce | null;
  /** When it was made, by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
}

type Place = Pick<ScalerPolicy, "stream" | "group" | "countLimit" | "foreignIdleMs">;

/** Asks the executor, and passes it the known consumers. `null`: there is no executor, or it does not know: then the known consumers count. */
export type AskWorkforce = (
  consumers: readonly PeerConsumer[],
  room: Pick<Observation, "isAlone" | "partitions">,
) => Promise<Workforce | null>;

/**
 * Observes the group and its consumers. A missing stream counts as empty; for a missing group all messages wait.
 */
export async function observe(client: StreamClient, place: Place, askWorkforce: AskWorkforce): Promise<Snapshot> {
  const nowMs = await client.time();
  const partitions = await readPartitions(client, place.stream);
  const [registry, finalReports, seen] = await Promise.all([
    client.registry(place),
    readFinalReports(client, { ...place, sinceMs: nowMs - FAREWELLS_MS }),
    partitions === null
      ? readGroup(client, place, nowMs).catch(nothingIfGone)
      : readPartitionsOf(client, place, partitions, nowMs),
  ]);
  const activity = classifyConsumers(registry, seen?.consumers ?? [], finalReports, place.foreignIdleMs, nowMs);
  const workforce = await askWorkforce(peersIn(registry, nowMs), {
    isAlone: activity.isAlone,
    partitions: partitions?.length ?? null,
  });
  const desired = workforce?.desired ?? activity.ready;
  const { ready, startingMs, startUpsMs } =
    workforce !== null && workforce.ready !== null
      ? { ...workforce, ready: workforce.ready }
      : { ready: activity.ready, startingMs: [], startUpsMs: [] };
  const observation: Observation = {
    pause: pauseInForce(registry.pause, nowMs),
    rateLimit: observeRate(registry.rateLimit, registry, nowMs),
    added: seen?.added ?? 0,
    read: seen?.read ?? null,
    waiting: seen === undefined ? 0 : seen.waiting,
    isWaitingAtLeast: seen?.isWaitingAtLeast ?? false,
    oldestWaitingMs: seen?.firstWaitingId == null ? null : Math.max(0, nowMs - entryIdTimeMs(seen.firstWaitingId)),
    released: seen?.released ?? 0,
    pending: seen?.pending ?? 0,
    reclaimable: activity.reclaimable,
    current: desired,
    ready,
    startingMs,
    lost: activity.lost,
    startUpsMs,
    elsewhere: activity.elsewhere,
    isAlone: activity.isAlone,
    partitions: partitions?.length ?? null,
    consumers: activity.consumers,
  };
  return { observation, workforce, atMs: nowMs };
}

type SeenGroup = Awaited<ReturnType<typeof readGroup>>;

/** All partitions together. Their consumers are in the registry beside the logical stream. */
async function readPartitionsOf(
  client: StreamClient,
  place: Place,
  streams: readonly string[],
  nowMs: number,
): Promise<SeenGroup> {
  const looks = streams.map((stream) => readGroup(client, { ...place, stream }, nowMs).catch(nothingIfGone));
  const seen = (await Promise.all(looks)).filter((one) => one !== undefined);
  const sum = (count: (one: SeenGroup) => number | null): number | null =>
    seen.reduce((total: number | null, one) => {
      const some = count(one);
      return total === null || some === null ? null : total + some;
    }, 0);
  const first = seen.map(({ firstWaitingId }) => firstWaitingId).filter((id) => id !== null);
  return {
    added: sum(({ added }) => added) ?? 0,
    read: seen.length === 0 ? null : sum(({ read }) => read),
    waiting: sum(({ waiting }) => waiting),
    isWaitingAtLeast: seen.some(({ isWaitingAtLeast }) => isWaitingAtLeast),
    firstWaitingId: first.toSorted(compareEntryIds)[0] ?? null,
    released: sum(({ released }) => released) ?? 0,
    pending: sum(({ pending }) => pending) ?? 0,
    consumers: [],
  };
}

async function readGroup(client: StreamClient, { stream, group: name, countLimit }: Place, nowMs: number) {
  // In this order: entries added in between make the stream longer than the lag says, not the other way round.
  const group = (await client.xinfoGroups({ stream })).find((each) => each.name === name);
  const info = await client.xinfoStream({ stream });
  if (group === undefined) {
    const { length, entriesAdded, firstEntryId } = info;
    return {
      ...{ added: entriesAdded, read: null, waiting: length, isWaitingAtLeast: false },
      ...{ firstWaitingId: firstEntryId, released: 0, pending: 0, consumers: [] },
    };
  }
  const [{ backlog, firstWaitingId }, names] = await Promise.all([
    readBacklog(client, { stream, group, info, countLimit }),
    client.xinfoConsumers({ stream, group: name }),
  ]);
  const { released, later } = await countLetGo(client, { stream, group: name }, names, nowMs);
  return {
    ...{ added: info.entriesAdded, read: group.entriesRead, waiting: backlog.messages },
    ...{ isWaitingAtLeast: backlog.source === "at least", firstWaitingId, released },
    pending: Math.max(0, group.pending - released - later),
    consumers: names.filter((consumer) => !isReservedConsumer(consumer.name)),
  };
}

/** Messages pending under reserved names: those that may be claimed at once, and those that must wait. */
async function countLetGo(
  client: Pick<StreamClient, "countDue">,
  address: { readonly stream: string; readonly group: string },
  names: readonly ConsumerInfo[],
  nowMs: number,
): Promise<{ readonly released: number; readonly later: number }> {
  const free = names
    .filter(({ name }) => isReservedConsumer(name) && name !== LATER)
    .reduce((sum, { pending }) => sum + pending, 0);
  const deferred = names.find(({ name }) => name === LATER)?.pending ?? 0;
  if (deferred === 0) return { released: free, later: 0 };
  const due = await nullIfForbidden(client.countDue({ ...address, untilMs: nowMs }));
  // It is unknown when they are due: they count as work in progress, so that not all consumers are removed.
  if (due === null) return { released: free, later: 0 };
  // A message that was acknowledged while it was deferred keeps its due time until then.
  const isDue = Math.min(due, deferred);
  return { released: free + isDue, later: deferred - isDue };
}

/** A stream or group that does not exist, or was deleted meanwhile. */
function nothingIfGone(error: unknown): undefined {
  if (NoGroupError.is(error)) return undefined;
  throw error;
}
