/**
 * Reads new messages, in a loop that never dies silently: an error that may pass is reported and the read is tried again
 * after a pause; any other error ends the consumer.
 *
 * Between reads, and only there, the consumer's own pending list is compared with what is held (`own-pending.ts`).
 */

import { ConnectionError, NoGroupError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { payloadBytesOf, type StreamEntry } from "@redis-batch/core/internal/messages";
import { type BackoffPolicy, backoffDelayMs, Loop } from "@redis-batch/core/internal/service";
import { decideFetchSize } from "../decisions/fetch-size.ts";
import type { Reading } from "../decisions/intake.ts";
import { decideFloor, decidePace, isEarly } from "../decisions/pace.ts";
import type { Heartbeat } from "../liveness/heartbeat.ts";
import type { IntakeControl } from "../scheduling/intake-control.ts";
import type { WaitingCalls } from "../scheduling/waiting-calls.ts";
import type { Scope } from "../scope.ts";
import { isServerAway, RETRY_AWAY } from "../server-away.ts";
import type { SecondOpinions } from "../settling/second-opinions.ts";
import type { Claimer } from "./claimer.ts";
import type { MessageBuilder } from "./message-builder.ts";
import type { OwnPending } from "./own-pending.ts";
import type { ReadWatch } from "./read-watch.ts";

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 5_000 };

export interface ReaderParts<Value> {
  readonly waiting: WaitingCalls<Value>;
  readonly intake: IntakeControl;
  readonly builder: MessageBuilder<Value>;
  readonly ownPending: OwnPending<Value>;
  readonly claimer: Claimer<Value>;
  readonly heartbeat: Heartbeat;
  readonly readWatch: ReadWatch;
  readonly secondOpinions: Pick<SecondOpinions, "forget">;
}

export class Reader<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: ReaderParts<Value>;
  #interrupted = new AbortController();
  #isPaused = true;
  readonly #loop: Loop;
  #sent = 0;
  /** Whether nothing is known about the stream: before the first answer, and after a failure. */
  #isUnsure = true;
  /** Whether the stream probably has more: the last read was full. */
  #isBacklog = false;
  /** Whether a read is waiting at the server. */
  #isBlocked = false;
  /** When the last read emptied the stream; `null` if it did not. */
  #emptiedAtMs: number | null = null;
  /** How many empty answers in a row came long before the read's own wait was over, and when the last one came. */
  #early = { answers: 0, atMs: 0 };

  constructor(scope: Scope<Value>, parts: ReaderParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => this.#onError(error),
    });
    const { roomChanged, paceChanged, pendingUnknown } = scope.signals;
    for (const signal of [roomChanged, paceChanged, pendingUnknown]) signal.listen(() => this.#loop.notify());
  }

  /** How many reads have been sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Reads the stream now: ends a read that is waiting at the server, and the next one does not wait. */
  look(): void {
    if (this.#isBlocked) this.#interrupt();
    this.#loop.notify();
  }

  /** Ends a read that is waiting at the server if there is no room for new messages any more. */
  wantedLess(): void {
    if (this.#isBlocked && this.#fetchSize(this.#parts.intake.reading()) === 0) this.#interrupt();
  }

  /** Starts reading, or continues. */
  resume(): void {
    this.#isPaused = false;
    this.#loop.start();
    this.#loop.notify();
  }

  /** Stops reading until `resume`. Ends a read that is waiting at the server, and keeps what it brings. */
  pause(): void {
    this.#isPaused = true;
    this.#interrupt();
  }

  #interrupt(): void {
    this.#interrupted.abort();
    this.#interrupted = new AbortController();
  }

  /** Ends the loop; resolves when the last read has been taken in. */
  async stop(): Promise<void> {
    const stopping = this.#loop.stop();
    this.pause();
    await stopping;
    this.#parts.readWatch.rest();
  }

  async #pass(): Promise<number | null> {
    const { waiting, intake, ownPending, readWatch } = this.#parts;
    const reading: Reading = this.#isPaused ? { kind: "held" } : intake.reading();
    const count = this.#fetchSize(reading);
    const mustCompare = !this.#isPaused && ownPending.mustCompare;
    if (count === 0 && !mustCompare) {
      // A caller need not wait for messages that are not read on purpose. A full buffer already has what callers wait for.
      if (reading.kind !== "open") waiting.readingRests();
      readWatch.rest();
      return null;
    }
    const pauseMs = mustCompare ? 0 : this.#pauseMs();
    if (pauseMs > 0) return pauseMs;
    readWatch.begin();
    await this.#round(count);
    readWatch.answered();
    this.#scope.shares.wasRead();
    this.#scope.signals.intakeTouched.raise();
    return 0;
  }

  async #round(count: number): Promise<void> {
    const { client, policy } = this.#scope;
    const { heartbeat, ownPending, claimer, readWatch } = this.#parts;
    // An attempt that fails before it is sent also counts as an answer for callers that wait for one.
    if (count > 0) this.#sent++;
    await client.connect(["commands", "reader"], {
      ...{ timeoutMs: policy.connectTimeoutMs, signal: this.#loop.signal, stream: policy.stream },
    });
    readWatch.asked();
    try {
      if (ownPending.mustCompare) await ownPending.compare(claimer);
      if (count > 0) {
        await heartbeat.assure();
        if (!this.#isPaused) await this.#read(count);
      }
    } finally {
      readWatch.released();
    }
  }

  async #read(count: number): Promise<void> {
    const { newEntries, policy, replySize, report, clock } = this.#scope;
    const { waiting, builder } = this.#parts;
    const sinceMs = clock.nowMs();
    // A caller that waits for a first look gets it at once; later reads may wait at the server, where nothing else gets
    // through behind them on their connection.
    const blockMs = this.#isUnsure || this.#isBacklog || waiting.mustLook ? undefined : policy.blockMs;
    const sent = this.#sent;
    this.#isBlocked = blockMs !== undefined;
    const { signal } = this.#interrupted;
    let entries: readonly StreamEntry[];
    try {
      entries = await newEntries.read({ stream: policy.stream, count, blockMs }, signal);
    } catch (error) {
      if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(count);
      throw error;
    } finally {
      this.#isBlocked = false;
    }
    this.#isUnsure = false;
    this.#isBacklog = entries.length >= count;
    if (entries.length === 0) {
      // An interrupted read may never have been sent, so its empty answer proves nothing.
      if (signal.aborted) return;
      const atMs = clock.nowMs();
      this.#early = { answers: isEarly(atMs - sinceMs, blockMs) ? this.#early.answers + 1 : 0, atMs };
      waiting.readEnded(sent, false);
      return;
    }
    this.#early = { answers: 0, atMs: 0 };
    let bytes = 0;
    for (const entry of entries) bytes += payloadBytesOf(entry);
    replySize.arrived(entries.length, bytes);
    this.#emptiedAtMs = entries.length < count ? clock.nowMs() : null;
    builder.admit(entries, sinceMs);
    waiting.readEnded(sent, entries.length >= count);
    report({ type: "read", messages: entries.length, bytes });
  }

  /** Repairs the cause of the error, or reports the error → in how many milliseconds to try again. */
  async #onError(error: unknown): Promise<number | "end"> {
    const { signals, fail } = this.#scope;
    this.#isUnsure = true;
    this.#isBacklog = false;
    this.#parts.waiting.readFailed(this.#sent, error);
    // The lost reply may have carried messages.
    signals.pendingUnknown.raise();
    // The registry may be gone as well.
    if (NoGroupError.is(error)) {
      this.#parts.heartbeat.forget();
      this.#parts.secondOpinions.forget();
    }
    const left = NoGroupError.is(error) ? await this.#recreateGroup(error) : error;
    if (left === undefined) return 0;
    // If another consumer has recreated the group in the meantime, the next attempt finds it.
    if (NoGroupError.is(left) || (RedisBatchError.is(left) && left.retryable)) return this.#reportFailure(left);
    fail(left);
    return "end";
  }

  /** What is still wrong after the attempt; `undefined` if the group exists again. */
  async #recreateGroup(missing: NoGroupError): Promise<unknown> {
    const { client, policy, report } = this.#scope;
    const { stream, group, recreateFrom } = policy;
    try {
      const isNew = await client.xgroupCreate({ stream, group, position: recreateFrom });
      if (!isNew) return missing;
      report({ type: "groupCreated", position: recreateFrom, recreated: true });
      return undefined;
    } catch (failure) {
      // For example, this connection may come back later than the reader's.
      return failure;
    }
  }

  #reportFailure(error: RedisBatchError): number {
    const { random, report, signals, shares } = this.#scope;
    const { readWatch } = this.#parts;
    const reason = toErrorInfo(error);
    readWatch.failed(reason);
    const retryInMs = backoffDelayMs(readWatch.failures, isServerAway(error) ? RETRY_AWAY : RETRY, random);
    if (!isServerAway(error) || shares.tellsOfLoss()) report({ type: "readFailed", retryInMs, error: reason });
    signals.intakeTouched.raise();
    return retryInMs;
  }

  /** How long to wait before the next read, so that few reads fill a batch and no read directly follows an empty answer. */
  #pauseMs(): number {
    // A caller that waits for an answer is not delayed, neither for more messages nor by the minimum pause.
    if (this.#parts.waiting.mustLook) return 0;
    const { answers, atMs } = this.#early;
    return Math.max(this.#paceMs(), atMs + decideFloor(answers) - this.#scope.clock.nowMs());
  }

  #paceMs(): number {
    const { policy, held, clock } = this.#scope;
    const { filling } = this.#parts.waiting;
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

  #fetchSize(reading: Reading): number {
    const { policy, held, replySize, shares } = this.#scope;
    if (reading.kind === "held") return 0;
    const ahead = {
      buffered: held.fresh.messages + held.aside.messages,
      bufferedElsewhere: shares.bufferedElsewhere(),
      bufferedBytes: held.fresh.bytes + held.aside.bytes,
      wanted: this.#parts.waiting.wanted,
      meanBytes: replySize.meanBytes,
    };
    if (reading.kind === "probing") {
      const size = decideFetchSize(ahead, { ...policy, prefetch: 0 });
      return Math.max(1, Math.min(reading.messages, size, replySize.limit));
    }
    const prefetch = reading.mayReadAhead ? this.#parts.intake.prefetch : 0;
    return Math.min(decideFetchSize(ahead, { ...policy, prefetch }), replySize.limit);
  }
}
