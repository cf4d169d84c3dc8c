import {
  ConfigError,
  compareEntryIds,
  type EntryId,
  type Fields,
  type FieldsInput,
  fieldsCodec,
  RedisBatchError,
  type RedisStandIn,
  UsageError,
} from "@redis-batch/core";
import { STAND_IN, type StandIn } from "@redis-batch/core/internal/connection";
import { decodePartitions, partitionsKey } from "@redis-batch/core/internal/groups";
import { encodeValue, textOf } from "@redis-batch/core/internal/messages";
import { OptionsReader } from "@redis-batch/core/internal/options";
import { type Clock, INSPECT, type InspectContext, showAs, systemClock } from "@redis-batch/core/internal/service";
import { xadd, xgroupCreate, xreadgroup } from "./memory/memory-commands.ts";
import type { FaultMoment, FaultyCalls, HeldCalls } from "./memory/memory-faults.ts";
import { createMemoryServer, type MemoryServer } from "./memory/memory-server.ts";
import type { ManualClock } from "./time/manual-clock.ts";

export interface MemoryRedisOptions {
  /**
   * A clock that the test moves. Every service that gets this Redis lives by it: its waits, delays and leases. Default: the
   * system's clock.
   */
  readonly clock?: ManualClock | undefined;
  /**
   * The server's time at the beginning, in milliseconds since 1970. Default: now, and with `clock` the beginning of 2026, so
   * that ids and dates are the same in every run.
   */
  readonly serverTimeMs?: number | undefined;
}

/** One entry of a stream. */
export interface MemoryEntry {
  readonly id: EntryId;
  /** The fields as UTF-8 text. */
  readonly fields: Fields;
}

/** One message of a group's pending list: delivered, and not acknowledged. */
export interface MemoryPending {
  readonly id: EntryId;
  /** Its consumer; `rb:released` and `rb:later` are not consumers: they hold released messages and deferred ones. */
  readonly consumer: string;
  /** Milliseconds since its delivery, or since its lease was renewed. */
  readonly idleMs: number;
  /** How often it was delivered. */
  readonly deliveries: number;
}

export interface DeliverOptions {
  readonly stream: string;
  readonly group: string;
  /** How many messages at most. */
  readonly count: number;
}

/**
 * What can be made to fail or to wait. `any`: everything · `add`: a producer's messages · `read`: a consumer's read of new
 * messages · `inspect`: what monitor and scaler look at.
 */
export type MemoryOperation =
  | "any"
  | "connect"
  | "add"
  | "read"
  | "acknowledge"
  | "renewLease"
  | "heartbeat"
  | "moveToDeadLetters"
  | "redrive"
  | "inspect";

const METHODS: Readonly<Record<MemoryOperation, FaultyCalls>> = {
  any: "any",
  connect: "connect",
  add: ["xaddMany", "addOnce"],
  read: "xreadgroup",
  acknowledge: ["ackOwned", "xack", "xackdel", "deleteIfAllGroupsDone"],
  renewLease: "renewOwned",
  heartbeat: "heartbeat",
  moveToDeadLetters: "moveToDeadLetters",
  redrive: "redrive",
  inspect: ["xinfoStream", "xinfoGroups", "xinfoConsumers"],
};

export interface FaultOptions {
  /** `before` (default): nothing was executed. `after`: it was executed, and its reply is lost. */
  readonly moment?: FaultMoment | undefined;
}

export interface FailOptions extends FaultOptions {
  /** How many calls fail, 1 or more. Default 1. */
  readonly times?: number | undefined;
}

/**
 * A Redis in memory, for the `redis` option of a consumer, producer, monitor, scaler or dead letters. Services that get
 * the same one work on the same streams. It passes the tests that real servers pass, for every command that Redis Batch
 * sends; it listens to no port, and cannot be used by other clients.
 */
export interface MemoryRedis extends RedisStandIn {
  /**
   * Adds an entry as a producer would, at once.
   *
   * @returns its id
   * @throws {PayloadError} when a field cannot be written
   * @throws {WrongTypeError} when the key holds something other than a stream
   * @throws {UsageError} when the stream has partitions: a `Producer` knows which of them has the messages of a key
   */
  add(stream: string, fields: FieldsInput): EntryId;

  /**
   * Delivers the next messages to a consumer that does nothing with them, like one whose process has died. Makes the
   * group where it is missing.
   *
   * @returns their ids
   * @throws {ConfigError} naming every wrong option
   * @throws {NoGroupError} when there is no such stream
   */
  deliverTo(consumer: string, options: DeliverOptions): readonly EntryId[];

  /**
   * The entries of a stream, oldest first; empty where there is no such stream. Of a stream with partitions those of all of
   * them: two may have the same id.
   */
  entries(stream: string): readonly MemoryEntry[];

  /**
   * What was delivered to a group and not acknowledged, in the order of the stream, or of all its partitions; empty where there is no
   * such group.
   */
  pending(stream: string, group: string): readonly MemoryPending[];

  /**
   * Has the next calls of this kind fail.
   *
   * @param error what they reject with: a `ConnectionError`, a `ServerStateError`, or another error of `@redis-batch/core`
   * @throws {UsageError} when there is no such operation
   * @throws {ConfigError} naming every wrong option, or when `error` is none of `@redis-batch/core`
   *
   * @example
   * redis.failNext("acknowledge", new ConnectionError("cut", { outcome: "unknown" }), { moment: "after" });
   */
  failNext(operation: MemoryOperation, error: RedisBatchError, options?: FailOptions): void;

  /**
   * Has calls of this kind wait, from now on, until `release()` of what is returned.
   *
   * @throws {UsageError} when there is no such operation
   * @throws {ConfigError} naming every wrong option
   */
  hold(operation: MemoryOperation, options?: FaultOptions): HeldCalls;

  /** Cuts every connection: what is under way rejects, with an unknown outcome. They come back 50 ms later. */
  disconnect(): void;

  /**
   * Sets the server's clock forward, or back where `byMs` is negative. The clock of the services stays as it is.
   *
   * @throws {ConfigError} when `byMs` is no whole number
   */
  jumpServerClock(byMs: number): void;
}

const byId = (one: { readonly id: EntryId }, other: { readonly id: EntryId }): number =>
  compareEntryIds(one.id, other.id);

const MOMENTS = ["before", "after"] as const;

class InMemoryRedis implements MemoryRedis {
  readonly #server: MemoryServer;
  readonly [STAND_IN]: object;

  constructor(options: MemoryRedisOptions) {
    const reader = new OptionsReader("memoryRedis", options, ["clock", "serverTimeMs"]);
    const { clock = systemClock } = options;
    if (typeof (clock as Partial<Clock> | null)?.setTimer !== "function") reader.problem("clock must be a ManualClock");
    const startMs = options.clock === undefined ? Date.now() : Date.UTC(2026, 0);
    const serverTimeMs = reader.integer("serverTimeMs", { default: startMs, min: 0, max: 8.64e15 });
    reader.finish({});
    const server = createMemoryServer({ clock, serverTimeMs });
    this.#server = server;
    this[STAND_IN] = { clock, createClient: (edge) => server.client(edge) } satisfies StandIn;
  }

  add(stream: string, fields: FieldsInput): EntryId {
    if (this.#partsOf(stream)[0] !== stream)
      throw new UsageError(`the stream "${stream}" has partitions: add the message with a Producer`);
    return xadd(this.#server.keys, { stream, ...encodeValue(fieldsCodec, fields) });
  }

  deliverTo(consumer: string, options: DeliverOptions): readonly EntryId[] {
    const reader = new OptionsReader("deliverTo", options, ["stream", "group", "count"]);
    const [stream, group] = [reader.name("stream"), reader.name("group")];
    if (!reader.has("count")) reader.problem("count is missing");
    const count = reader.integer("count", { default: 1, min: 1, max: Number.MAX_SAFE_INTEGER });
    reader.finish({});
    const { keys } = this.#server;
    keys.existingStream(stream);
    xgroupCreate(keys, { stream, group, position: "start" });
    const [read] = xreadgroup(keys, { streams: [stream], group, consumer, count });
    return read?.entries.map(({ id }) => id) ?? [];
  }

  entries(stream: string): readonly MemoryEntry[] {
    const entries = this.#partsOf(stream).flatMap(
      (one) => this.#server.keys.stream(one)?.range("-", "+", Number.MAX_SAFE_INTEGER) ?? [],
    );
    return entries.toSorted(byId).map((entry) => ({ id: entry.id, fields: textOf(entry) }));
  }

  pending(stream: string, group: string): readonly MemoryPending[] {
    const { keys } = this.#server;
    const pending = this.#partsOf(stream).flatMap(
      (one) => keys.stream(one)?.groups.get(group)?.pending(keys.nowMs()) ?? [],
    );
    return pending.toSorted(byId);
  }

  /** The streams of its partitions, or the stream itself. */
  #partsOf(stream: string): readonly string[] {
    if (/[{}]/.test(stream)) return [stream];
    return decodePartitions(stream, this.#server.keys.text(partitionsKey(stream)) ?? null) ?? [stream];
  }

  failNext(operation: MemoryOperation, error: RedisBatchError, options: FailOptions = {}): void {
    const reader = new OptionsReader("failNext", options, ["times", "moment"]);
    const times = reader.integer("times", { default: 1, min: 1, max: Number.MAX_SAFE_INTEGER });
    const moment = reader.oneOf("moment", MOMENTS, "before");
    // The services expect nothing else of a server, so they would be tested on what cannot happen.
    if (!RedisBatchError.is(error))
      reader.problem("the error must be one of @redis-batch/core, such as a ConnectionError");
    this.#server.failNext(callsOf(operation), error, reader.finish({ times, moment }));
  }

  hold(operation: MemoryOperation, options: FaultOptions = {}): HeldCalls {
    const reader = new OptionsReader("hold", options, ["moment"]);
    const moment = reader.oneOf("moment", MOMENTS, "before");
    return this.#server.hold(callsOf(operation), reader.finish({ moment }));
  }

  disconnect(): void {
    this.#server.drop("reader");
    this.#server.drop("commands");
  }

  jumpServerClock(byMs: number): void {
    if (!Number.isSafeInteger(byMs)) throw new ConfigError("jumpServerClock", ["byMs must be a whole number"]);
    this.#server.jumpClock(byMs);
  }

  [INSPECT](depth: number, options: InspectContext): string {
    return showAs("MemoryRedis", { streams: this.#server.keys.streamNames() }, depth, options);
  }
}

/** @throws {UsageError} when it is none */
function callsOf(operation: MemoryOperation): FaultyCalls {
  if (Object.hasOwn(METHODS, operation)) return METHODS[operation];
  throw new UsageError(`no operation ${JSON.stringify(operation)}; there are ${Object.keys(METHODS).join(", ")}`);
}

/**
 * Makes a Redis in memory.
 *
 * @throws {ConfigError} naming every wrong option
 *
 * @example
 * const redis = memoryRedis();
 * const consumer = new Consumer({ redis, stream: "orders", group: "billing" });
 * redis.add("orders", { orderId: "A-17" });
 * const batch = await consumer.fetch();
 */
export function memoryRedis(options: MemoryRedisOptions = {}): MemoryRedis {
  return new InMemoryRedis(options);
}
