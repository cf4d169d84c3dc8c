/**
 * Reads several streams over one connection, for readers of which each knows only its own stream. What they want at the same
 * time goes into one command. While that waits at the server, nothing else gets through on its connection, so it is ended when
 * another stream is to be read as well.
 *
 * A read that fails for one of its streams is tried again for each of them alone, so that only that one's reader gets the error.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { ConnectionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import { type Clock, onAbort, pause } from "@redis-batch/core/internal/service";
import { decideFloor, isEarly } from "../decisions/pace.ts";
import { decideSharedRead, type SharedRead, type WantedRead } from "../decisions/shared-read.ts";

export interface StreamRead {
  readonly stream: string;
  /** Maximum number of entries. */
  readonly count: number;
  /** How long to wait for the first entry, in milliseconds; `undefined`: not at all. */
  readonly blockMs: number | undefined;
}

/** Reads new entries of a stream, as one consumer of a group. */
export interface NewEntries {
  /** `signal` ends the wait; what has arrived by then is kept. */
  read(read: StreamRead, signal: AbortSignal): Promise<readonly StreamEntry[]>;
}

export interface ReadingConsumer {
  readonly client: Pick<StreamClient, "xreadgroup" | "xreadgroupMany">;
  readonly clock: Clock;
  readonly group: string;
  readonly name: string;
}

/** Reads a stream that has a connection to itself. */
export class OwnReads implements NewEntries {
  readonly #consumer: ReadingConsumer;

  constructor(consumer: ReadingConsumer) {
    this.#consumer = consumer;
  }

  read(read: StreamRead, signal: AbortSignal): Promise<readonly StreamEntry[]> {
    const { client, group, name } = this.#consumer;
    return client.xreadgroup({ ...read, group, consumer: name }, signal);
  }
}

interface Wanted extends WantedRead {
  readonly stream: string;
  readonly signal: AbortSignal;
  wasAsked: boolean;
  isDoubtful: boolean;
  readonly resolve: (entries: readonly StreamEntry[]) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedReads implements NewEntries {
  readonly #consumer: ReadingConsumer;
  readonly #wanted = new Set<Wanted>();
  readonly #doubtful = new Set<string>();
  #isReading = false;
  /** Ends the read that waits at the server, or the pause after it; `undefined` while there is nothing to end. */
  #wait: AbortController | undefined;
  #earlyAnswers = 0;
  /** How many reads in a row were refused for their streams together. */
  #refusals = 0;

  constructor(consumer: ReadingConsumer) {
    this.#consumer = consumer;
  }

  read({ stream, count, blockMs }: StreamRead, signal: AbortSignal): Promise<readonly StreamEntry[]> {
    if (signal.aborted) return Promise.resolve([]);
    const { clock } = this.#consumer;
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => this.#interrupt());
      const end = (settle: () => void): void => {
        stopListening();
        this.#wanted.delete(wanted);
        settle();
      };
      const wanted: Wanted = {
        ...{ stream, count, signal, wasAsked: false },
        untilMs: blockMs === undefined ? null : clock.nowMs() + blockMs,
        isDoubtful: this.#doubtful.has(stream),
        resolve: (entries) => end(() => resolve(entries)),
        reject: (error) => end(() => reject(error)),
      };
      this.#wanted.add(wanted);
      this.#interrupt();
      if (!this.#isReading) void this.#readAll();
    });
  }

  #interrupt(): void {
    // With a reason: without one, an error with its stack would be made for each.
    this.#wait?.abort("another stream is to be read as well");
  }

  /** Reads until nothing is wanted. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    // Readers that ask in the same turn share the first read as well.
    await nextTurn();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.#readOnce(next);
      // Readers that got entries mostly want more at once.
      await nextTurn();
    }
    this.#isReading = false;
  }

  #next(): SharedRead<Wanted> | undefined {
    const nowMs = this.#consumer.clock.nowMs();
    for (const wanted of this.#wanted) {
      const isOver = wanted.wasAsked && (wanted.untilMs === null || wanted.untilMs <= nowMs);
      if (isOver || wanted.signal.aborted) wanted.resolve([]);
    }
    return decideSharedRead([...this.#wanted], nowMs);
  }

  async #readOnce({ wanted, count, blockMs }: SharedRead<Wanted>): Promise<void> {
    const { client, clock, group, name } = this.#consumer;
    const streams = wanted.map(({ stream }) => stream);
    const wait = blockMs === undefined ? undefined : new AbortController();
    this.#wait = wait;
    const sentAtMs = clock.nowMs();
    try {
      const read = { streams, group, consumer: name, count, blockMs };
      const found = new Map(
        (await client.xreadgroupMany(read, wait?.signal)).map(({ stream, entries }) => [stream, entries]),
      );
      if (wanted.length > 1) this.#refusals = 0;
      for (const one of wanted) {
        this.#doubtful.delete(one.stream);
        const entries = found.get(one.stream);
        if (entries !== undefined) one.resolve(entries);
        // A wait that was interrupted may never have begun.
        else if (wait?.signal.aborted !== true) Object.assign(one, { wasAsked: true, isDoubtful: false });
      }
      const isEmpty = found.size === 0 && wait?.signal.aborted !== true;
      await this.#rest(isEmpty && isEarly(clock.nowMs() - sentAtMs, blockMs));
    } catch (error) {
      await this.#failed(wanted, error);
    } finally {
      this.#wait = undefined;
    }
  }

  /** Where a proxy does not let reads wait, there must be a pause between them. */
  async #rest(wasEarly: boolean): Promise<void> {
    this.#earlyAnswers = wasEarly ? this.#earlyAnswers + 1 : 0;
    if (wasEarly) await pause(this.#consumer.clock, decideFloor(this.#earlyAnswers), this.#wait?.signal);
  }

  async #failed(wanted: readonly Wanted[], error: unknown): Promise<void> {
    const [only, ...others] = wanted;
    if (only !== undefined && others.length === 0) {
      if (!ConnectionError.is(error)) this.#doubtful.add(only.stream);
      return only.reject(error);
    }
    for (const one of wanted) {
      if (ConnectionError.is(error)) one.reject(error);
      else one.isDoubtful = true;
    }
    if (ConnectionError.is(error)) return;
    // Again and again, although each of them alone can be read: a user may have the right for each of them, and not for all of
    // them in one command.
    if (this.#refusals++ > 0) await pause(this.#consumer.clock, decideFloor(this.#refusals), this.#wait?.signal);
  }
}
