/** Parts of a consumer for tests of one of them, on a Redis in memory and a clock that only the test moves. */
import { type EntryId, fieldsCodec } from "@redis-batch/core";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import type { StreamEvent } from "../src/events.ts";
import { Peers } from "../src/liveness/peers.ts";
import type { Message, MessageKeeper } from "../src/message.ts";
import { OpenBatches } from "../src/scheduling/open-batches.ts";
import { SinkWatch } from "../src/scheduling/sink-watch.ts";
import { DeadLetterWriter } from "../src/settling/dead-letter-writer.ts";
import { RedeliveryScheduler } from "../src/settling/redelivery-scheduler.ts";
import { Releaser } from "../src/settling/releaser.ts";
import { SecondOpinions } from "../src/settling/second-opinions.ts";
import { makeChunk } from "./make-messages.ts";
import { makeScope } from "./make-scope.ts";
import { sendHeartbeat } from "./send-heartbeat.ts";

type Value = Readonly<Record<string, string>>;

const address = { stream: "orders", group: "billing" };
const keeper: MessageKeeper<Value> = {
  stream: "orders",
  codec: fieldsCodec,
  ack: () => {},
  retry: () => {},
  deadLetter: () => {},
};

export async function openParts() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ ...address, position: "start" });
  const events = new EventRecorder<StreamEvent>();
  const policy = {
    ...{ ...address, name: "me", leaseMs: 10_000, maxHoldMs: 5_000, maxWaitMs: 500, maxBytes: 1_000_000 },
    ...{ maxDeliveries: 4, maxDeferred: 100, maxOutageMs: 60_000 },
    retry: { baseMs: 100, capMs: 1_000 },
  };
  const failures: unknown[] = [];
  const compared = { times: 0 };
  const fail = (error: unknown): void => void failures.push(error);
  const scope = makeScope({ policy, client, clock, report: events.observe, fail });
  scope.signals.pendingUnknown.listen(() => void compared.times++);
  const { held, replySize } = scope;
  const peers = new Peers(scope);
  const succeededElsewhere: number[] = [];
  const secondOpinions = new SecondOpinions(scope, {
    ...{ peers, sinkWatch: { succeededElsewhere: (messages) => void succeededElsewhere.push(messages) } },
  });
  const deadLetterWriter = new DeadLetterWriter(scope, { peers, secondOpinions });
  const releaser = new Releaser(scope);

  const sinkWatch = new SinkWatch(scope);
  const redeliveries = new RedeliveryScheduler(scope, { deadLetterWriter, releaser, secondOpinions, peers, sinkWatch });
  const outcomes = { whenThrough: () => Promise.resolve() };
  const open = new OpenBatches(scope, { redeliveries, releaser, sinkWatch, outcomes });

  /** Adds messages and reads them under a name, each delivered that many times → their ids. */
  const deliver = async (consumer: string, count: number, times = 1): Promise<EntryId[]> => {
    for (let more = count; more > 0; more--) await addEntry(client, { stream: address.stream, fields: ["n", "1"] });
    const entries = await client.xreadgroup({ ...address, consumer, count, blockMs: undefined });
    const ids = entries.map(({ id }) => id);
    const messages = ids.map((id) => ({ id, deliveries: times }));
    if (times > 1) await client.redeliverOwn({ ...address, consumer, messages });
    return ids;
  };
  /** Released messages, each delivered that many times before. */
  const release = async (count: number, times = 1): Promise<EntryId[]> => {
    const ids = await deliver("before", count, Math.max(times, 1));
    const moved = times === 0 ? { offered: [], neverOffered: ids } : { offered: ids, neverOffered: [] };
    await client.release({ ...address, from: "before", to: RELEASED, ...moved });
    return ids;
  };
  /** Messages of this consumer, in a batch. */
  const offer = async (count: number): Promise<Message<Value>[]> => {
    const ids = await deliver("me", count);
    const chunk = makeChunk(ids, { atMs: clock.nowMs(), takenBy: keeper });
    held.admitRead(chunk);
    held.lineUpRead(chunk);
    const mix = { due: [], fresh: count, full: count };
    return [...held.offer(mix, 1_000_000, false, { mode: "loop", atMs: clock.nowMs() }).messages];
  };
  /** Another consumer sends its heartbeat. */
  const heartbeat = async (consumer: string, freePlaces = 1): Promise<void> => {
    await sendHeartbeat(client, { ...address, consumer, leaseMs: 60_000 }, { freePlaces });
  };
  /** The ids that are pending under a name, and how often each was delivered. */
  const ownedBy = async (consumer: string): Promise<Readonly<Record<EntryId, number>>> => {
    const entries = await client.xpendingRange({ ...address, consumer, from: "-", to: "+", count: 10_000 });
    return Object.fromEntries(entries.map(({ id, deliveries }) => [id, deliveries]));
  };
  const where = async () => ({
    me: await ownedBy("me"),
    released: await ownedBy(RELEASED),
    later: await ownedBy(LATER),
  });
  return {
    ...{ scope, client, clock, held, replySize, redis, events, address, failures, compared },
    ...{
      peers,
      succeededElsewhere,
      secondOpinions,
      deadLetterWriter,
      releaser,
      open,
      deliver,
      release,
      offer,
      heartbeat,
      ownedBy,
      where,
    },
  };
}
