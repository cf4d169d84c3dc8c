/**
 * The loop that reads new messages. It never dies silently: what passes is reported and tried again after a pause,
 * what cannot pass fails the consumer.
 *
 * Between reads, and only there, the consumer's own pending list is compared with what is held: after every
 * (re)connect and read error the server may have delivered messages that never arrived.
 */
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  type EntryId,
  type GroupPosition,
  NoGroupError,
  pause,
  payloadBytesOf,
  type Random,
  RedisBatchError,
  type StreamClient,
  type StreamEntry,
} from "@redis-batch/core/internal";
import { decideFetchSize, type ReadPolicy } from "../decisions/fetch-size.ts";
import { decidePace } from "../decisions/pace.ts";
import type { ConsumerEvent } from "../events.ts";
import type { Message } from "../message.ts";
import { Bell } from "./bell.ts";
import type { Collector } from "./collector.ts";
import type { Custody } from "./custody.ts";
import { StallWatch } from "./stall-watch.ts";
import { describeTrouble } from "./trouble.ts";

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 5_000 };
// An own pending list is compared page by page; a page of ids is small for client and server alike.
const PENDING_PAGE = 1_000;

export interface ReaderContext<Value> {
  readonly policy: ReadPolicy & {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly blockMs: number;
    readonly recreateFrom: GroupPosition;
    readonly connectTimeoutMs: number;
  };
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly collector: Collector<Value>;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes in what was read; the server sent it at some moment since then. */
  readonly admit: (entries: readonly StreamEntry[], sinceMs: number) => readonly Message<Value>[];
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can mend. */
  readonly fail: (error: unknown) => void;
  /** Called with each message that was found pending for this consumer, and how often it had been delivered. */
  readonly adopt: (id: EntryId, deliveries: number) => void;
  /** Sees to it that this consumer is registered. */
  readonly assureRegistered: () => Promise<void>;
  /** Called when the group is gone, and the registry with it perhaps. */
  readonly onGroupGone: () => void;
}

export class Reader<Value> {
  readonly #context: ReaderContext<Value>;
  readonly #stopped = new AbortController();
  #interrupted = new AbortController();
  #isPaused = true;
  readonly #bell: Bell;
  #comparedEpoch = -1;
  #failures = 0;
  #loop: Promise<void> | undefined;
  /** Since when the server owes an answer; `null` while nothing is asked of it. */
  #askedAtMs: number | null = null;
  readonly #stallWatch: StallWatch;
  /** When the last read had brought all that there was; `null` when it had not. */
  #emptiedAtMs: number | null = null;

  constructor(context: ReaderContext<Value>) {
    this.#context = context;
    this.#bell = new Bell(context.clock);
    this.#stallWatch = new StallWatch({ ...context, ownWaitMs: context.policy.blockMs });
  }

  /** How long the server has owed an answer, a refusal or not, by the local clock; 0 while nothing is asked of it. */
  get unansweredMs(): number {
    return this.#askedAtMs === null ? 0 : this.#context.clock.nowMs() - this.#askedAtMs;
  }

  /** Whether it has been meant to read for long, and nothing came of it. */
  get isStalled(): boolean {
    return this.#stallWatch.isStalled;
  }

  /** Starts reading, or goes on. */
  resume(): void {
    this.#isPaused = false;
    if (this.#interrupted.signal.aborted) this.#interrupted = new AbortController();
    this.#loop ??= this.#run();
    this.poke();
  }

  /** Stops reading until `resume`. A read that waits at the server is ended; what it brings is kept. */
  pause(): void {
    this.#isPaused = true;
    this.#interrupted.abort();
  }

  /** Has the own pending list compared with what is held, before the next read. */
  compare(): void {
    this.#comparedEpoch = -1;
    this.#bell.ring();
  }

  /** Something changed: there may be room for more. */
  poke(): void {
    this.#bell.ring();
  }

  /** Ends the loop; resolves when the last read has been taken in. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.pause();
    this.poke();
    await this.#loop;
    this.#stallWatch.rest();
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const count = this.#isPaused ? 0 : this.#fetchSize();
      const mustCompare = !this.#isPaused && this.#context.client.readerEpoch !== this.#comparedEpoch;
      if (count === 0 && !mustCompare) {
        this.#context.collector.lookFailed();
        this.#stallWatch.rest();
        await this.#bell.rest(null);
        continue;
      }
      const pauseMs = mustCompare ? 0 : this.#pauseMs();
      if (pauseMs > 0) {
        await this.#bell.rest(pauseMs);
        continue;
      }
      this.#stallWatch.begin();
      try {
        await this.#round(count);
        this.#failures = 0;
        this.#stallWatch.answered();
      } catch (error) {
        if (!(await this.#survives(error))) return;
      }
    }
  }

  async #round(count: number): Promise<void> {
    const { client, policy, clock } = this.#context;
    await client.connect(["commands", "reader"], {
      timeoutMs: policy.connectTimeoutMs,
      signal: this.#stopped.signal,
    });
    this.#askedAtMs = clock.nowMs();
    try {
      if (client.readerEpoch !== this.#comparedEpoch) await this.#comparePending();
      if (count > 0) {
        await this.#context.assureRegistered();
        await this.#read(count);
      }
    } finally {
      this.#askedAtMs = null;
    }
  }

  async #read(count: number): Promise<void> {
    const { client, policy, collector, report, clock } = this.#context;
    const sinceMs = clock.nowMs();
    // A caller who waits for a first look gets it at once; after that the server may keep us waiting.
    const blockMs = collector.mustLook ? undefined : policy.blockMs;
    const read = client.xreadgroup(
      { stream: policy.stream, group: policy.group, consumer: policy.name, count, blockMs },
      this.#interrupted.signal,
    );
    if (blockMs !== undefined) collector.watching(true);
    let entries: readonly StreamEntry[];
    try {
      entries = await read;
    } finally {
      collector.watching(false);
    }
    if (entries.length === 0) return collector.addFresh([], false);
    let bytes = 0;
    for (const entry of entries) bytes += payloadBytesOf(entry);
    this.#emptiedAtMs = entries.length < count ? clock.nowMs() : null;
    collector.addFresh(this.#context.admit(entries, sinceMs), entries.length >= count);
    report({ type: "read", messages: entries.length, bytes });
  }

  /** Finds what is pending for this consumer but was never received, and has it delivered again. */
  async #comparePending(): Promise<void> {
    const { client, policy, custody, report } = this.#context;
    const { readerEpoch } = client;
    let found = 0;
    let from = "-";
    for (;;) {
      const page = await client.xpendingRange({
        stream: policy.stream,
        group: policy.group,
        consumer: policy.name,
        from,
        to: "+",
        count: PENDING_PAGE,
      });
      for (const { id, deliveries } of page) {
        if (custody.holds(id)) continue;
        found++;
        this.#context.adopt(id, deliveries);
      }
      const last: EntryId | undefined = page.at(-1)?.id;
      if (page.length < PENDING_PAGE || last === undefined) break;
      from = `(${last}`;
    }
    this.#comparedEpoch = readerEpoch;
    if (found === 0) return;
    report({ type: "recovered", messages: found });
  }

  /** Mends what caused the error, or reports it and pauses → whether the loop goes on. */
  async #survives(error: unknown): Promise<boolean> {
    if (this.#stopped.signal.aborted) return false;
    this.#context.collector.lookFailed();
    // The reply that was lost may have carried messages.
    this.#comparedEpoch = -1;
    if (NoGroupError.is(error)) this.#context.onGroupGone();
    try {
      const left = NoGroupError.is(error) ? await this.#recreateGroup(error) : error;
      if (left !== undefined) await this.#reportAndPause(left);
      return true;
    } catch (fatal) {
      this.#context.fail(fatal);
      return false;
    }
  }

  /** What is still wrong after the attempt; `undefined` when the group is there again. */
  async #recreateGroup(missing: NoGroupError): Promise<unknown> {
    const { client, policy, report } = this.#context;
    const { stream, group, recreateFrom } = policy;
    try {
      const isNew = await client.xgroupCreate({ stream, group, position: recreateFrom });
      if (!isNew) return missing;
      report({ type: "groupCreated", position: recreateFrom, recreated: true });
      return undefined;
    } catch (failure) {
      // Of the two connections this one may be back later than the other, for one.
      return failure;
    }
  }

  /** @throws the error itself, when no repetition can mend it */
  async #reportAndPause(error: unknown): Promise<void> {
    // A group that another consumer has created anew meanwhile is there at the next attempt.
    if (!NoGroupError.is(error) && !(RedisBatchError.is(error) && error.retryable)) throw error;
    const { clock, random, report } = this.#context;
    const trouble = describeTrouble(error);
    this.#stallWatch.failed(trouble);
    const retryInMs = backoffDelayMs(++this.#failures, RETRY, random);
    report({ type: "readFailed", retryInMs, error: trouble });
    await pause(clock, retryInMs, this.#stopped.signal);
  }

  /** How long the next read is put off from now, so that the batch fills in few reads. */
  #pauseMs(): number {
    const { policy, collector, clock } = this.#context;
    const { filling } = collector;
    if (filling === null || this.#emptiedAtMs === null) return 0;
    const entries = collector.fresh.messages;
    const pauseMs = decidePace({
      entries,
      missing: policy.batchSize - (entries % policy.batchSize),
      openMs: this.#emptiedAtMs - filling.sinceMs,
      leftMs: filling.untilMs - this.#emptiedAtMs,
    });
    return this.#emptiedAtMs + pauseMs - clock.nowMs();
  }

  #fetchSize(): number {
    const { policy, collector, custody } = this.#context;
    return decideFetchSize(
      {
        buffered: collector.fresh.messages,
        bufferedBytes: collector.fresh.bytes,
        wanted: collector.wanted,
        deferred: custody.deferred,
        meanBytes: collector.meanBytes,
      },
      policy,
    );
  }
}
