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
  ConnectionError,
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
import { decideFloor, decidePace, isEarly } from "../decisions/pace.ts";
import type { ConsumerEvent } from "../events.ts";
import { toErrorInfo } from "../runtime/full-server.ts";
import { WakeSignal } from "../runtime/wake-signal.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { ReadStallWatch } from "./read-stall-watch.ts";
import type { ReplySize } from "./reply-size.ts";

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
  readonly held: HeldMessages<Value>;
  readonly scheduler: Scheduler<Value>;
  readonly replySize: ReplySize;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes in what was read; the server sent it at some moment since then. */
  readonly admit: (entries: readonly StreamEntry[], sinceMs: number) => void;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can help. */
  readonly fail: (error: unknown) => void;
  /**
   * Called with messages that were found pending for this consumer and are not held, and how often each was offered.
   */
  readonly adopt: (found: readonly FoundPending[]) => Promise<void>;
  /** Resolves when no message is on its way from those that nobody holds. */
  readonly whenNothingIsTaken: () => Promise<void>;
  /** What holds reading up now, and how far it may read ahead. */
  readonly intake: () => IntakeState;
  /** Sees to it that this consumer is registered. */
  readonly assureRegistered: () => Promise<void>;
  /** Called when the group is gone, and the registry with it perhaps. */
  readonly onGroupGone: () => void;
}

/** A message that is pending for this consumer, and that it does not have. */
export interface FoundPending {
  readonly id: EntryId;
  /** How often it has been offered. */
  readonly deliveries: number;
}

/** Whether, and how far, new messages are read. */
export type IntakeState =
  | { readonly kind: "open"; readonly mayReadAhead: boolean }
  /** One message is enough, to see whether it can be worked on. */
  | { readonly kind: "probing" }
  | { readonly kind: "held" };

export class Reader<Value> {
  readonly #context: ReaderContext<Value>;
  readonly #stopped = new AbortController();
  #interrupted = new AbortController();
  #isPaused = true;
  readonly #wake: WakeSignal;
  #comparedEpoch = -1;
  #failures = 0;
  #loop: Promise<void> | undefined;
  /** Since when the server owes an answer; `null` while nothing is asked of it. */
  #askedAtMs: number | null = null;
  readonly #readStallWatch: ReadStallWatch;
  #sent = 0;
  /** Whether nothing is known of the stream: before the first answer, and after a failure. */
  #isUnsure = true;
  /** Whether a read waits at the server. */
  #isBlocked = false;
  #hasCompared = false;
  #isComparing = false;
  /** When the last read had brought all that there was; `null` when it had not. */
  #emptiedAtMs: number | null = null;
  /** How many empty answers in a row came long before their read's wait was over, and when the last one did. */
  #early = { answers: 0, atMs: 0 };

  constructor(context: ReaderContext<Value>) {
    this.#context = context;
    this.#wake = new WakeSignal(context.clock);
    this.#readStallWatch = new ReadStallWatch({ ...context, ownWaitMs: context.policy.blockMs });
  }

  /** How long the server has owed an answer, a refusal or not, by the local clock; 0 while nothing is asked of it. */
  get unansweredMs(): number {
    return this.#askedAtMs === null ? 0 : this.#context.clock.nowMs() - this.#askedAtMs;
  }

  /** Whether it has been meant to read for long, and nothing came of it. */
  get isStalled(): boolean {
    return this.#readStallWatch.isStalled;
  }

  /**
   * Whether all that is pending for this consumer is known: only then may anything else bring it messages, which would be
   * found pending, and not held, while the answer is on its way.
   */
  get knowsPending(): boolean {
    return this.#hasCompared && !this.#isComparing;
  }

  /** Whether the last attempt to read failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** How many reads were sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Has the stream read now: a read that waits at the server is ended, and the next one does not wait. */
  look(): void {
    if (this.#isBlocked) this.#interrupt();
    this.#wake.notify();
  }

  /** Starts reading, or goes on. */
  resume(): void {
    this.#isPaused = false;
    this.#loop ??= this.#run();
    this.poke();
  }

  /** Stops reading until `resume`. A read that waits at the server is ended; what it brings is kept. */
  pause(): void {
    this.#isPaused = true;
    this.#interrupt();
  }

  #interrupt(): void {
    this.#interrupted.abort();
    this.#interrupted = new AbortController();
  }

  /** Has the own pending list compared with what is held, before the next read. */
  compare(): void {
    this.#comparedEpoch = -1;
    this.#wake.notify();
  }

  /** Something changed: there may be room for more. */
  poke(): void {
    this.#wake.notify();
  }

  /** Ends the loop; resolves when the last read has been taken in. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.pause();
    this.poke();
    await this.#loop;
    this.#readStallWatch.rest();
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const count = this.#isPaused ? 0 : this.#fetchSize();
      const mustCompare = !this.#isPaused && this.#context.client.readerEpoch !== this.#comparedEpoch;
      if (count === 0 && !mustCompare) {
        // Nobody needs to wait for what is not read on purpose; a full buffer has what is waited for.
        if (this.#isPaused || this.#context.intake().kind !== "open") this.#context.scheduler.readingRests();
        this.#readStallWatch.rest();
        await this.#wake.wait(null);
        continue;
      }
      const pauseMs = mustCompare ? 0 : this.#pauseMs();
      if (pauseMs > 0) {
        await this.#wake.wait(pauseMs);
        continue;
      }
      this.#readStallWatch.begin();
      try {
        await this.#round(count);
        this.#failures = 0;
        this.#readStallWatch.answered();
      } catch (error) {
        if (!(await this.#survives(error))) return;
      }
    }
  }

  async #round(count: number): Promise<void> {
    const { client, policy, clock } = this.#context;
    // An attempt that fails before it is sent is an answer, too, for whoever waits for one.
    if (count > 0) this.#sent++;
    await client.connect(["commands", "reader"], {
      timeoutMs: policy.connectTimeoutMs,
      signal: this.#stopped.signal,
    });
    this.#askedAtMs = clock.nowMs();
    try {
      if (client.readerEpoch !== this.#comparedEpoch) await this.#compareAlone();
      if (count > 0) {
        await this.#context.assureRegistered();
        if (!this.#isPaused) await this.#read(count);
      }
    } finally {
      this.#askedAtMs = null;
    }
  }

  async #read(count: number): Promise<void> {
    const { client, policy, scheduler, replySize, report, clock } = this.#context;
    const sinceMs = clock.nowMs();
    // A caller who waits for a first look gets it at once; after that the server may keep us waiting.
    const blockMs = this.#isUnsure || scheduler.mustLook ? undefined : policy.blockMs;
    const sent = this.#sent;
    this.#isBlocked = blockMs !== undefined;
    const { signal } = this.#interrupted;
    let entries: readonly StreamEntry[];
    try {
      entries = await client.xreadgroup(
        { stream: policy.stream, group: policy.group, consumer: policy.name, count, blockMs },
        signal,
      );
    } catch (error) {
      if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(count);
      throw error;
    } finally {
      this.#isBlocked = false;
    }
    this.#isUnsure = false;
    if (entries.length === 0) {
      // One that was interrupted may never have been sent, and so says nothing.
      if (signal.aborted) return;
      const atMs = clock.nowMs();
      this.#early = { answers: isEarly(atMs - sinceMs, blockMs) ? this.#early.answers + 1 : 0, atMs };
      scheduler.readEnded(sent, false);
      return;
    }
    this.#early = { answers: 0, atMs: 0 };
    let bytes = 0;
    for (const entry of entries) bytes += payloadBytesOf(entry);
    replySize.arrived(entries.length, bytes);
    this.#emptiedAtMs = entries.length < count ? clock.nowMs() : null;
    this.#context.admit(entries, sinceMs);
    scheduler.readEnded(sent, entries.length >= count);
    report({ type: "read", messages: entries.length, bytes });
  }

  /** Compares while nothing else brings messages: those on their way would be found pending, and not held. */
  async #compareAlone(): Promise<void> {
    this.#isComparing = true;
    try {
      await this.#context.whenNothingIsTaken();
      await this.#comparePending();
    } finally {
      this.#isComparing = false;
    }
    // Now more may be taken.
    this.#context.scheduler.decide();
  }

  /** Finds what is pending for this consumer but was never received, and has it delivered again. */
  async #comparePending(): Promise<void> {
    const { client, policy, held, report } = this.#context;
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
      const unknown = page.filter(({ id }) => !held.holds(id));
      found += unknown.length;
      // At the first look it is what an earlier process was offered; later it is what got lost on its way to this one.
      const lost = this.#hasCompared ? 1 : 0;
      await this.#context.adopt(
        unknown.map(({ id, deliveries }) => ({ id, deliveries: Math.max(deliveries - lost, 0) })),
      );
      const last: EntryId | undefined = page.at(-1)?.id;
      if (page.length < PENDING_PAGE || last === undefined) break;
      from = `(${last}`;
    }
    this.#comparedEpoch = readerEpoch;
    this.#hasCompared = true;
    if (found === 0) return;
    report({ type: "undeliveredFound", messages: found });
  }

  /** Removes what caused the error, or reports it and pauses → whether the loop goes on. */
  async #survives(error: unknown): Promise<boolean> {
    if (this.#stopped.signal.aborted) return false;
    this.#isUnsure = true;
    this.#context.scheduler.readFailed(this.#sent, error);
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

  /** @throws the error itself, when no repetition can help */
  async #reportAndPause(error: unknown): Promise<void> {
    // A group that another consumer has created again meanwhile is there at the next attempt.
    if (!NoGroupError.is(error) && !(RedisBatchError.is(error) && error.retryable)) throw error;
    const { clock, random, report } = this.#context;
    const trouble = toErrorInfo(error);
    this.#readStallWatch.failed(trouble);
    const retryInMs = backoffDelayMs(++this.#failures, RETRY, random);
    report({ type: "readFailed", retryInMs, error: trouble });
    await pause(clock, retryInMs, this.#stopped.signal);
  }

  /** How long the next read is deferred from now, so that the batch fills in few reads, and none follows at once on nothing. */
  #pauseMs(): number {
    const { scheduler, clock } = this.#context;
    // Somebody who waits for an answer is kept waiting neither for company nor for the floor.
    if (scheduler.mustLook) return 0;
    const { answers, atMs } = this.#early;
    return Math.max(this.#paceMs(), atMs + decideFloor(answers) - clock.nowMs());
  }

  #paceMs(): number {
    const { policy, scheduler, held, clock } = this.#context;
    const { filling } = scheduler;
    if (filling === null || this.#emptiedAtMs === null) return 0;
    const entries = held.fresh.messages;
    const pauseMs = decidePace({
      entries,
      missing: policy.batchSize - (entries % policy.batchSize),
      openMs: this.#emptiedAtMs - filling.sinceMs,
      leftMs: filling.untilMs - this.#emptiedAtMs,
    });
    return this.#emptiedAtMs + pauseMs - clock.nowMs();
  }

  #fetchSize(): number {
    const { policy, scheduler, held, replySize } = this.#context;
    const intake = this.#context.intake();
    if (intake.kind === "held") return 0;
    if (intake.kind === "probing") return 1;
    const ahead = {
      buffered: held.fresh.messages,
      bufferedBytes: held.fresh.bytes,
      wanted: scheduler.wanted,
      meanBytes: replySize.meanBytes,
    };
    const prefetch = intake.mayReadAhead ? policy.prefetch : 0;
    return Math.min(decideFetchSize(ahead, { ...policy, prefetch }), replySize.limit);
  }
}
