/** Consumers of one group that work, fail, hang and die, and a record of who was offered which message when. */
import { groupKey } from "@redis-batch/core/internal/names";
import {
  EventRecorder,
  eventually,
  fairNowMs,
  type RedisServer,
  type UsedServer,
  uniqueName,
} from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { afterEach } from "vitest";
import {
  type Batch,
  Consumer,
  type ConsumerEvent,
  type ConsumerOptions,
  type Handler,
  type StopReport,
} from "../../src/index.ts";

export type Fields = Readonly<Record<string, string>>;

/** One message as it was handed to a handler. */
export interface Offer {
  readonly consumer: string;
  /** The message's field `n`. */
  readonly n: string;
  readonly deliveries: number;
  /** When, by this process's monotonic clock. */
  readonly atMs: number;
  /** On the fair clock. */
  readonly fairAtMs: number;
  /** The number of messages in its batch. */
  readonly batchSize: number;
}

/** A consumer, what it announced, and how its `run()` ends. */
export interface Worker {
  readonly consumer: Consumer;
  readonly events: EventRecorder<ConsumerEvent>;
  readonly running: Promise<StopReport>;
}

/** What a process leaves behind that read messages and died. */
export interface Leftovers {
  readonly name: string;
  /** The number of messages that it read. */
  readonly count: number;
  readonly leaseMs: number;
  /** How often each was delivered. Default 1. */
  readonly deliveries?: number;
  /** How far its last heartbeat lies ahead of the server's clock, in milliseconds. Default 0. */
  readonly aheadMs?: number;
}

/** A stream and a consumer group of their own. */
export class Group implements AsyncDisposable {
  readonly server: RedisServer;
  readonly stream: string = uniqueName("stream");
  readonly group = "group";
  /** Every message that a handler of {@link start} was given, in order. */
  readonly offers: Offer[] = [];
  readonly #client: Redis;
  readonly #consumers: AsyncDisposable[] = [];
  #added = 0;
  #lastId = "0-0";

  constructor(server: RedisServer) {
    this.server = server;
    this.#client = new Redis({ ...server.options, maxRetriesPerRequest: null });
    this.#client.on("error", () => {});
  }

  /** A consumer of the group, closed after the test. Options that are not given have their defaults. */
  consumer(options: Partial<ConsumerOptions<Fields>> = {}): Omit<Worker, "running"> {
    const { stream, group } = this;
    const events = new EventRecorder<ConsumerEvent>();
    const consumer = new Consumer<Fields>({
      redis: this.server.options,
      stream,
      group,
      drainMs: 300,
      observer: events.observe,
      ...options,
    });
    this.#consumers.push(consumer);
    return { consumer, events };
  }

  /** Starts a consumer with `run()`. What it is offered is recorded before the handler sees it. */
  start(handler: Handler<Fields>, options: Partial<ConsumerOptions<Fields>> = {}): Worker {
    const { consumer, events } = this.consumer(options);
    const running = consumer.run((batch, context) => {
      this.record(consumer.name, batch);
      return handler(batch, context);
    });
    // A test that expects the end of it looks for itself.
    running.catch(() => {});
    return { consumer, events, running };
  }

  /** Notes that a consumer was offered a batch. */
  record(consumer: string, batch: Batch<Fields>): void {
    const times = { atMs: performance.now(), fairAtMs: fairNowMs() };
    for (const { fields, deliveries } of batch) {
      this.offers.push({ consumer, n: fields["n"] ?? "", deliveries, ...times, batchSize: batch.size });
    }
  }

  /** The offers of one message, in order. */
  offersOf(n: number | string): readonly Offer[] {
    return this.offers.filter((offer) => offer.n === String(n));
  }

  /** The number of different messages that were offered, to one consumer or to any. */
  offered(consumer?: string): number {
    const offers = consumer === undefined ? this.offers : this.offers.filter((offer) => offer.consumer === consumer);
    return new Set(offers.map(({ n }) => n)).size;
  }

  /** Adds one message per value, with the field `n` → their ids. */
  async add(...values: readonly (number | string)[]): Promise<string[]> {
    return this.#addAll(values.map((value) => ["n", String(value)]));
  }

  /** Adds messages with `n` = 0, 1, 2 … (going on where the last call ended) and a payload of the given size. */
  async fill(count: number, payloadBytes = 0): Promise<string[]> {
    const payload = payloadBytes === 0 ? [] : ["payload", "x".repeat(payloadBytes)];
    const from = this.#added;
    this.#added += count;
    return this.#addAll(Array.from({ length: count }, (_, index) => ["n", String(from + index), ...payload]));
  }

  async #addAll(entries: readonly (readonly string[])[]): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < entries.length; at += 1_000) {
      const pipeline = this.#client.pipeline();
      for (const fields of entries.slice(at, at + 1_000)) pipeline.xadd(this.stream, "*", ...fields);
      for (const [error, id] of (await pipeline.exec()) ?? []) {
        if (error !== null) throw error;
        this.#lastId = String(id);
        ids.push(this.#lastId);
      }
    }
    return ids;
  }

  /** Creates the group at the start of the stream, as a consumer would. */
  async create(): Promise<void> {
    await this.server.command("XGROUP", "CREATE", this.stream, this.group, 0, "MKSTREAM").catch(() => {});
  }

  /** Reads messages under a name, as any client would → their ids. */
  async readAs(name: string, count: number): Promise<string[]> {
    const { stream, group } = this;
    await this.create();
    const ids: string[] = [];
    while (ids.length < count) {
      const some = Math.min(count - ids.length, 10_000);
      const reply = await this.server.command(
        "XREADGROUP",
        "GROUP",
        group,
        name,
        "COUNT",
        some,
        "STREAMS",
        stream,
        ">",
      );
      const entries = (reply as [string, [string][]][] | null)?.[0]?.[1] ?? [];
      if (entries.length === 0) break;
      for (const [id] of entries) ids.push(id);
    }
    return ids;
  }

  /** Does what a process does that reads messages and dies: a heartbeat, a read, and then nothing more → their ids. */
  async leaveBehind({ name, count, leaseMs, deliveries = 1, aheadMs = 0 }: Leftovers): Promise<string[]> {
    const ids = await this.readAs(name, count);
    if (deliveries !== 1) await this.setDeliveries(name, ids, deliveries);
    await this.heartbeatAs(name, { leaseMs, aheadMs });
    return ids;
  }

  /** Makes messages look as if they had been delivered that often. */
  async setDeliveries(name: string, ids: readonly string[], deliveries: number): Promise<void> {
    const { stream, group } = this;
    for (let at = 0; at < ids.length; at += 1_000) {
      const some = ids.slice(at, at + 1_000);
      await this.#client.call("XCLAIM", stream, group, name, 0, ...some, "RETRYCOUNT", deliveries, "JUSTID");
    }
  }

  /** Writes a heartbeat under a name. */
  async heartbeatAs(
    name: string,
    { leaseMs, aheadMs }: { readonly leaseMs: number; readonly aheadMs: number },
  ): Promise<void> {
    const [seconds, micros] = (await this.server.command("TIME")) as [string, string];
    const at = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) + aheadMs;
    const field = JSON.stringify({ at, v: 1, incarnation: `${name}-1`, leaseMs });
    await this.server.command("HSET", this.key("consumers"), name, field);
  }

  /** The name of one of the keys beside the stream. */
  key(kind: Parameters<typeof groupKey>[0]): string {
    return groupKey(kind, this.stream, this.group);
  }

  /** The number of messages that are pending under each name; names without any are missing. */
  async pendingByName(): Promise<Readonly<Record<string, number>>> {
    const reply = (await this.server.command("XPENDING", this.stream, this.group)) as unknown[];
    const counts = (reply[3] ?? []) as [string, string][];
    return Object.fromEntries(counts.map(([name, count]) => [name, Number(count)]));
  }

  /** Who holds each of the oldest pending messages, and how often it was delivered. */
  async pending(
    count = 1_000,
  ): Promise<{ readonly id: string; readonly consumer: string; readonly deliveries: number }[]> {
    const reply = await this.server.command("XPENDING", this.stream, this.group, "-", "+", count);
    const entries = reply as [string, string, number, number][];
    return entries.map(([id, consumer, , deliveries]) => ({ id, consumer, deliveries }));
  }

  /** The names in the group, those without a process left out. */
  async names(): Promise<string[]> {
    const reply = (await this.server.command("XINFO", "CONSUMERS", this.stream, this.group)) as unknown[][];
    return reply.map((info) => String(info[1])).filter((name) => !name.startsWith("rb:"));
  }

  /** The field `n` of each dead letter. */
  async deadLetters(): Promise<string[]> {
    const entries = (await this.server.command("XRANGE", this.key("dead"), "-", "+")) as [string, string[]][];
    return entries.map(([, fields]) => String(asRecord(fields)["n"]));
  }

  /** Whether every message that was added has been delivered and none is pending. */
  async isFinished(): Promise<boolean> {
    const groups = (await this.server.command("XINFO", "GROUPS", this.stream)) as unknown[];
    const group = asRecord(groups[0]);
    return group["pending"] === 0 && group["last-delivered-id"] === this.#lastId;
  }

  /** Waits until every message has been acknowledged or dead-lettered → how long that took, in milliseconds of the fair clock. */
  async finish(timeoutMs: number): Promise<number> {
    const startedMs = fairNowMs();
    await eventually(
      "every message is acknowledged",
      async () => {
        if (await this.isFinished()) return true;
        throw new Error(`offered: ${this.offered()}; pending: ${JSON.stringify(await this.pendingByName())}`);
      },
      { timeoutMs },
    );
    return fairNowMs() - startedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer[Symbol.asyncDispose]()));
    this.#client.disconnect();
  }
}

/** Makes a group per call; closes what it made after each test. */
export function useGroup(redis: UsedServer): () => Group {
  const made: Group[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((group) => group[Symbol.asyncDispose]()));
  });
  return () => {
    const group = new Group(redis.server);
    made.push(group);
    return group;
  };
}

/** A handler that does its work. */
export const acknowledge = (batch: Batch<Fields>): void => batch.ack();

/** A handler that never settles. */
export const hang = (): Promise<void> => new Promise(() => {});

/** The values of the field `n`, in the order of the batch. */
export const valuesOf = (batch: Batch<Fields>): string[] => [...batch].map(({ fields }) => fields["n"] ?? "");

function asRecord(reply: unknown): Record<string, unknown> {
  const flat = reply as unknown[];
  const pairs: [string, unknown][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([String(flat[at]), flat[at + 1]]);
  return Object.fromEntries(pairs);
}
