/**
 * The connections that read new entries. All streams are read over one; but in a Cluster there is one for each slot, because
 * one command reads streams of one slot only, and while it waits, no other command gets through on its connection.
 */
import { unlessRefused } from "../errors/null-if-forbidden.ts";
import { keySlot } from "../names/key-slot.ts";
import type { Clock } from "../service/clock.ts";
import { onAbort } from "../service/signals.ts";
import type { ConnectionEvent } from "../stream-client.ts";
import type { StreamEntries } from "../wire/entry.ts";
import { info } from "../wire/info.ts";
import { type XreadOptions, xread } from "../wire/xread.ts";
import { type XreadgroupManyOptions, xreadgroup } from "../wire/xreadgroup.ts";
import type { Connection } from "./connection.ts";
import { EntryTap } from "./ioredis-internals/entry-tap.ts";
import type { RedisClient } from "./redis-client.ts";
import { WaitEnder } from "./wait-ender.ts";

// How much longer than it asked for a read may wait before it is ended with CLIENT UNBLOCK. Servers round up by 100 ms.
const OVERDUE_MS = 500;

export interface StreamReadersOptions {
  /** Opens a connection. `onClient` is called with each of its clients in turn, before that is connected. */
  readonly open: (onClient: (client: RedisClient) => void, report: (event: ConnectionEvent) => void) => Connection;
  readonly commands: Connection;
  readonly clock: Clock;
  /** Whether entries are taken out of the server's bytes before ioredis decodes them. */
  readonly isTapped: boolean;
  readonly report: (event: ConnectionEvent) => void;
}

export class StreamReaders {
  readonly #options: StreamReadersOptions;
  readonly #all: StreamReader[] = [];
  readonly #ofSlot = new Map<number, StreamReader>();
  readonly #connected = new Set<StreamReader>();
  #isClosed = false;

  constructor(options: StreamReadersOptions) {
    this.#options = options;
  }

  /** Streams that one command can read, together. */
  together(streams: readonly string[]): readonly (readonly string[])[] {
    if (!this.#options.commands.isCluster) return [streams];
    const bySlot = new Map<number, string[]>();
    for (const stream of streams) {
      const slot = keySlot(stream);
      bySlot.set(slot, [...(bySlot.get(slot) ?? []), stream]);
    }
    return [...bySlot.values()];
  }

  /** The reader of a stream. */
  of(stream: string): StreamReader {
    const slot = this.#slotOf(stream);
    let reader = this.#ofSlot.get(slot);
    if (reader === undefined) {
      // The first one may have been opened before it was known what it reads.
      reader = this.#ofSlot.size === 0 ? this.first : this.#add();
      this.#ofSlot.set(slot, reader);
    }
    return reader;
  }

  /** The connection on which an acknowledgement for this stream gets through at once; `undefined` if there is none. */
  freeFor(stream: string): Connection | undefined {
    const reader = this.#ofSlot.get(this.#slotOf(stream));
    return reader?.isFree === true ? reader.connection : undefined;
  }

  /** The one that there is in any case. */
  get first(): StreamReader {
    return this.#all[0] ?? this.#add();
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#all) connection.close();
  }

  #slotOf(stream: string): number {
    return this.#options.commands.isCluster ? keySlot(stream) : 0;
  }

  #add(): StreamReader {
    const reader: StreamReader = new StreamReader({
      ...this.#options,
      report: (event) => this.#report(reader, event),
    });
    if (this.#isClosed) reader.connection.close();
    this.#all.push(reader);
    return reader;
  }

  /** The role is connected when all its connections are. */
  #report(reader: StreamReader, event: ConnectionEvent): void {
    const wereAll = this.#connected.size === this.#all.length;
    if (event.type === "connected") this.#connected.add(reader);
    else this.#connected.delete(reader);
    const areAll = this.#connected.size === this.#all.length;
    if (event.type === "connectFailed" || wereAll !== areAll || this.#all.length === 1) this.#options.report(event);
  }
}

/** One connection that reads. */
export class StreamReader {
  readonly connection: Connection;
  readonly #commands: Connection;
  readonly #clock: Clock;
  #tap: EntryTap | undefined;
  #ender: WaitEnder | undefined;
  #blocks: { readonly epoch: number; readonly restarts: boolean } | undefined;
  /** How many reads wait at the server, or may wait there: until they end, nothing behind them is answered. */
  #waiting = 0;

  constructor({ open, commands, clock, isTapped, report }: StreamReadersOptions) {
    this.#commands = commands;
    this.#clock = clock;
    // Each of its clients needs a tap of its own.
    this.connection = open((client) => {
      if (isTapped) this.#tap = new EntryTap(client);
    }, report);
  }

  /** Whether a command is answered at once. Together with the next read it then costs next to nothing. */
  get isFree(): boolean {
    return this.#waiting === 0 && this.connection.isUsable;
  }

  read(options: XreadgroupManyOptions, signal?: AbortSignal): Promise<readonly StreamEntries[]> {
    return this.#untilEnded((blockMs) => this.#read({ ...options, blockMs }), options.blockMs, signal);
  }

  /** Waits for entries behind these positions → the streams that have some. */
  wait(options: XreadOptions, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#untilEnded((blockMs) => this.#wait({ ...options, blockMs }), options.blockMs, signal);
  }

  /** Reads, and waits for so long, or until the signal ends it. */
  async #untilEnded<Item>(
    read: (blockMs: number | undefined) => Promise<readonly Item[]>,
    blockMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Item[]> {
    if (signal === undefined || blockMs === undefined) return read(blockMs);
    if (signal.aborted) return [];
    this.#ender ??= new WaitEnder(this.connection, this.#commands, this.#clock);
    if (this.#ender.mustLearn) {
      const found = await this.#ender.learnFrom(() => read(undefined));
      if (found.length > 0) return found;
    }
    const endWait = await this.#ender.prepare();
    if (signal.aborted) return [];
    if (endWait === null) return read((await this.#restartsBlocks()) ? undefined : blockMs);
    let isOver = false;
    const end = (): void => void endWait(() => isOver);
    const stopListening = onAbort(signal, end);
    // Some servers restart the wait when they serve another client: it would last for ever.
    const cancelTimer = this.#clock.setTimer(blockMs + OVERDUE_MS, end);
    try {
      return await read(blockMs);
    } finally {
      isOver = true;
      stopListening();
      cancelTimer();
    }
  }

  async #read(options: XreadgroupManyOptions): Promise<readonly StreamEntries[]> {
    // By the time the reply arrives, the connection may have another client with its own tap.
    const tap = this.#tap;
    const waits = options.blockMs === undefined ? 0 : 1;
    this.#waiting += waits;
    try {
      const reply = await this.connection.callTogether(xreadgroup.name, xreadgroup.encode(options));
      return tap?.redeem(reply) ?? xreadgroup.decode(reply, options);
    } finally {
      this.#waiting -= waits;
    }
  }

  async #wait(options: XreadOptions): Promise<readonly string[]> {
    const tap = this.#tap;
    const waits = options.blockMs === undefined ? 0 : 1;
    this.#waiting += waits;
    try {
      const reply = await this.connection.call(xread.name, xread.encode(options));
      return tap?.redeem(reply)?.map(({ stream }) => stream) ?? xread.decode(reply, options);
    } finally {
      this.#waiting -= waits;
    }
  }

  /**
   * Whether the server begins the wait of a read again whenever it serves another client: then a read that cannot be ended
   * must not wait. Only its version tells. (Valkey 8 and later say that they are Redis 7.2.4 as well.)
   */
  async #restartsBlocks(): Promise<boolean> {
    const { connection } = this;
    if (this.#blocks?.epoch !== connection.epoch) {
      const { epoch } = connection;
      const reply = await unlessRefused(connection.call(info.name, ["server"]));
      const told = reply === null ? undefined : info.decode(reply, {});
      const restarts = /^7\.2\.[0-4]$/.test(told?.get("redis_version") ?? "") && !told?.has("valkey_version");
      this.#blocks = { epoch, restarts };
    }
    return this.#blocks.restarts;
  }
}
