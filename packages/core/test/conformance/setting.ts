import type { EntryId } from "../../src/names/entry-id.ts";
import type { StreamClient } from "../../src/stream-client.ts";
import type { RedeliverOwnResult } from "../../src/wire/atomic/redeliver-own.ts";
import type { StreamEntry } from "../../src/wire/entry.ts";
import type { PendingEntry } from "../../src/wire/xpending.ts";

/** What one test of the conformance suite has: a connected client, a name that no key has yet, and a side door. */
export interface Setting {
  readonly client: StreamClient;
  readonly stream: string;
  readonly sideDoor: SideDoor;
  /** Lets so much time pass at the server. */
  elapse(ms: number): Promise<void>;
  /** Resolves once the server has a reader waiting. */
  untilReaderWaits(): Promise<void>;
  /** Another client on the same keyspace. Nothing is connected. */
  anotherClient(): StreamClient;
}

/** What tests need and the port, on purpose, does not have. */
export interface SideDoor {
  addAt(stream: string, id: EntryId, fields: readonly string[]): Promise<void>;
  /** Puts a key of another type in the place of whatever there was. */
  putText(key: string): Promise<void>;
  deleteKey(key: string): Promise<void>;
  destroyGroup(stream: string, group: string): Promise<void>;
  /** The value of a field of a hash, word for word; `null` when there is none. */
  hashField(key: string, field: string): Promise<string | null>;
  putHashField(key: string, field: string, value: string): Promise<void>;
  /** Lets a pending message look as if it had been delivered so long ago. */
  setIdle(group: Group, consumer: string, id: EntryId, idleMs: number): Promise<void>;
  setDeliveries(group: Group, consumer: string, id: EntryId, deliveries: bigint): Promise<void>;
}

export interface Group {
  readonly stream: string;
  readonly group: string;
}

/** What the tests do again and again. */
export class Scene {
  readonly setting: Setting;
  readonly client: StreamClient;
  readonly stream: string;
  readonly group = "billing";
  readonly address: Group;

  constructor(setting: Setting) {
    this.setting = setting;
    this.client = setting.client;
    this.stream = setting.stream;
    this.address = { stream: setting.stream, group: this.group };
  }

  /** Names a consumer's own messages. */
  own(
    consumer: string,
    ids: readonly EntryId[],
  ): Group & { readonly consumer: string; readonly ids: readonly EntryId[] } {
    return { ...this.address, consumer, ids };
  }

  async createGroup(group = this.group): Promise<void> {
    await this.client.xgroupCreate({ stream: this.stream, group, position: "start" });
  }

  /** Adds entries with one field `n`, counted from 1. */
  async add(count: number): Promise<EntryId[]> {
    const items = Array.from({ length: count }, (_, index) => ({ stream: this.stream, fields: ["n", index + 1] }));
    return (await this.client.xaddMany(items)).map((outcome) => {
      if (typeof outcome === "string") return outcome;
      throw outcome;
    });
  }

  read(consumer: string, count = 100, group = this.group): Promise<readonly StreamEntry[]> {
    return this.client.xreadgroup({ stream: this.stream, group, consumer, count });
  }

  /** Makes the group where it is missing, adds this many entries and has them delivered to the consumer. */
  async deliver(consumer: string, count: number): Promise<EntryId[]> {
    await this.createGroup();
    const ids = await this.add(count);
    await this.read(consumer, count);
    return ids;
  }

  pending(group = this.group): Promise<readonly PendingEntry[]> {
    return this.client.xpendingRange({ stream: this.stream, group, from: "-", to: "+", count: 10_000 });
  }

  async pendingIds(group = this.group): Promise<EntryId[]> {
    return (await this.pending(group)).map(({ id }) => id);
  }

  async deliveries(): Promise<number[]> {
    return (await this.pending()).map(({ deliveries }) => deliveries);
  }

  async ids(stream = this.stream): Promise<EntryId[]> {
    return (await this.client.xrange({ stream, from: "-", to: "+", count: 10_000 })).map(({ id }) => id);
  }

  /** Has messages delivered again to their owner, for the `deliveries`th time. */
  recover(consumer: string, ids: readonly EntryId[], deliveries = 2): Promise<RedeliverOwnResult> {
    const messages = ids.map((id) => ({ id, deliveries }));
    return this.client.redeliverOwn({ ...this.address, consumer, messages });
  }

  /** Moves messages from one consumer to another, as a claim by a third party does. */
  async take(ids: readonly EntryId[], from: string, to: string): Promise<void> {
    const moved = await this.client.handOver({
      ...{ ...this.address, from, to, ids },
      ...{ foreignIdleMs: 0, toUnregistered: true },
    });
    if (moved.kind !== "moved" || moved.ids.length !== ids.length) throw new Error("the messages did not move");
  }

  /** Gives a message so long an idle time that nothing of the test's own duration matters beside it. */
  async age(consumer: string, ids: readonly EntryId[], idleMs = 3_600_000): Promise<void> {
    for (const id of ids) await this.setting.sideDoor.setIdle(this.address, consumer, id, idleMs);
  }
}

/** Idle times below this are "just now", on a slow machine too; {@link Scene.age} makes much longer ones. */
export const RECENT_MS = 60_000;
