/**
 * Takes what nobody holds: messages under the name `rb:released`. Only for a handler that is free now, never ahead of
 * time; at the start, when a handler becomes free, and each second.
 */
import {
  type Clock,
  ConnectionError,
  type DeliveredEntry,
  type EntryId,
  NoGroupError,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import type { Peers } from "../liveness/peers.ts";
import type { SecondOpinions } from "../liveness/second-opinions.ts";
import type { Message } from "../message.ts";
import { toErrorInfo } from "../runtime/full-server.ts";
import { WakeSignal } from "../runtime/wake-signal.ts";
import type { Reserved } from "../scheduling/held-index.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";
import type { ReplySize } from "./reply-size.ts";

const LOOK_EVERY_MS = 1_000;
const LOOKED_AT_ONCE = 1_000;
// Each is an argument of the script; the newest matter most.
const MOST_NOT_WANTED = 200;

export interface ClaimerContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly maxBytes: number;
  };
  readonly client: StreamClient;
  readonly held: HeldMessages<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly secondOpinions: SecondOpinions;
  readonly peers: Peers;
  readonly replySize: ReplySize;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether what is pending for this consumer is known, so that more may be added to it. */
  readonly mayTake: () => boolean;
  /** How many messages there is a free handler for, beside those that are here. */
  readonly places: () => number;
  /** How many messages are taken at least each time, where there is a free handler, however many are here. */
  readonly share: () => number;
  /** How often a message is offered at most. */
  readonly maxDeliveries: () => number;
  /** The first delivery for which a message is kept apart; infinite when none is. */
  readonly suspectFrom: () => number;
  /** Whether a batch is open. */
  readonly isAtWork: () => boolean;
  /** The message, or none when it cannot be offered. */
  readonly admit: (
    entry: DeliveredEntry,
    times: { readonly heldSinceMs: number; readonly ripeAtMs: number; readonly isSuspect: boolean },
  ) => Message<Value> | undefined;
  readonly report: (event: ConsumerEvent) => void;
  /** Called when it is time to look. */
  readonly onTime: () => void;
  /** Called when it is not known any more what is pending for this consumer. */
  readonly compare: () => void;
  /** Called with an error that no repetition can help. */
  readonly fail: (error: unknown) => void;
}

export class Claimer<Value> {
  readonly #context: ClaimerContext<Value>;
  readonly #wake: WakeSignal;
  /** Behind which message the next look begins; it wraps around, so that the first ones do not hide the rest. */
  #cursor: EntryId | null = null;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  /** Whether something is known, or thought, to be there. */
  #isMore = true;
  #taking: Promise<void> | undefined;
  /** Whether the last look for a suspect found one, so that there may be others. */
  #mayBeMoreSuspects = false;
  #isStopped = true;
  /** Whether this consumer released what it could not offer while it was at work: then one of its batches has to end first. */
  #mustWait = false;
  #loop: Promise<void> | undefined;

  constructor(context: ClaimerContext<Value>) {
    this.#context = context;
    this.#wake = new WakeSignal(context.clock);
  }

  start(): void {
    this.#isStopped = false;
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.notify();
    await this.#loop;
  }

  /** This consumer has released what it could not offer. */
  releasedUnoffered(): void {
    this.#mustWait = this.#context.isAtWork();
  }

  /** A batch has ended: what it was at is done. */
  batchEnded(): void {
    this.#mustWait = false;
  }

  /** Has it look as soon as there is a free handler that has nothing else to do. */
  expire(): void {
    this.#isMore = true;
  }

  /** Whether it is time to look, and there is somebody to work on what is found. */
  isWanted(): boolean {
    const { clock, places, share, mayTake } = this.#context;
    if (this.#isStopped || this.#taking !== undefined || this.#mustWait || !mayTake()) return false;
    if (places() > 0 && (this.#isMore || (this.#mayBeMoreSuspects && this.#wantsSuspect()))) return true;
    return clock.nowMs() >= this.#nextAtMs && Math.max(places(), share()) > 0;
  }

  /** Whether a suspect could be offered next: one at a time, and own ones first. */
  #wantsSuspect(): boolean {
    const { held } = this.#context;
    return !held.isSuspectOpen && !held.isSuspectBuffered && !held.waitingForPayload.suspect;
  }

  /** Resolves when no message is on its way. */
  async whenIdle(): Promise<void> {
    await this.#taking;
  }

  /** Takes as much as there are places for. */
  take(): Promise<void> {
    this.#taking ??= this.#takeOnce().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeOnce(): Promise<void> {
    const { clock, random, report, replySize, compare, fail, places, share } = this.#context;
    this.#isMore = false;
    this.#mayBeMoreSuspects = false;
    this.#nextAtMs = clock.nowMs() + LOOK_EVERY_MS * (0.75 + 0.25 * random());
    const room = places();
    const count = Math.min(room > 0 ? room : share(), replySize.limit);
    try {
      await this.#take(count);
    } catch (error) {
      // What it took may be pending here.
      compare();
      if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(count);
      // The reader creates a deleted group again.
      if (NoGroupError.is(error)) return;
      if (!RedisBatchError.is(error) || !error.retryable) return fail(error);
      report({ type: "recoveryFailed", error: toErrorInfo(error) });
    } finally {
      // Not as soon as the answer is there: that of an outcome may come with it, and be heard of in between.
      this.#context.held.stopNoting();
    }
  }

  async #run(): Promise<void> {
    const { clock, random, onTime } = this.#context;
    while (!this.#isStopped) {
      await this.#wake.wait(LOOK_EVERY_MS * (0.75 + 0.25 * random()));
      if (!this.#isStopped && clock.nowMs() >= this.#nextAtMs) onTime();
    }
  }

  async #take(count: number): Promise<void> {
    const { client, policy, held, clock, secondOpinions, replySize, report, suspectFrom } = this.#context;
    const { stream, group, name, maxBytes } = policy;
    const heldSinceMs = clock.nowMs();
    const wantsSuspect = this.#wantsSuspect();
    const ended = held.noteEnded();
    const {
      entries: taken,
      trimmed,
      next,
    } = await client.take({
      ...{ stream, group, consumer: name, after: this.#cursor, scan: LOOKED_AT_ONCE, count, maxBytes },
      suspectFrom: suspectFrom(),
      suspects: wantsSuspect ? 1 : 0,
      notWanted: secondOpinions.notWanted().slice(-MOST_NOT_WANTED),
    });
    this.#cursor = next;
    // There is more: the next handler that is free need not wait for its time.
    if (next !== null || taken.length >= count) this.expire();
    if (wantsSuspect) this.#mayBeMoreSuspects = taken.some(({ deliveries }) => deliveries >= suspectFrom());
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    // An outcome that was late on its way may have come after them.
    const entries = taken.filter(({ id }) => !ended.has(id));
    if (entries.length === 0) return;
    // Held from this moment on: whoever compares the pending list with what is held must not find them a second time.
    const reserved = new Map(entries.map(({ id }) => [id, held.reserve(id)]));
    await this.#lineUp(entries, reserved, heldSinceMs, wantsSuspect);
    let bytes = 0;
    for (const { id } of entries) bytes += held.messageOf(id)?.bytes ?? 0;
    replySize.arrived(entries.length, bytes);
    report({ type: "claimed", messages: entries.length });
  }

  /**
   * @param reserved as what they are held until then
   * @param wantsSuspect whether one of them that is a suspect can be offered now
   */
  async #lineUp(
    entries: readonly DeliveredEntry[],
    reserved: ReadonlyMap<EntryId, Reserved>,
    heldSinceMs: number,
    wantsSuspect: boolean,
  ): Promise<void> {
    const { held, deadLetterWriter, clock, maxDeliveries, suspectFrom, admit, peers } = this.#context;
    const most = maxDeliveries();
    // Whoever let go of it wanted somebody else to try it once more, if it may be tried more than once at all.
    const last = most === 1 || !peers.lastSeen.isAnyAlive ? most : most + 1;
    const hung = await this.#whichHung(entries);
    const fresh: Message<Value>[] = [];
    const due: Message<Value>[] = [];
    let suspects = wantsSuspect ? 0 : 1;
    for (const entry of entries) {
      const { id, deliveries } = entry;
      const own = reserved.get(id);
      if (own === undefined || !held.isReserved(own)) continue;
      const nowMs = clock.nowMs();
      if (deliveries > last) {
        held.reserve(id);
        deadLetterWriter.add({ id, message: undefined, why: "maxDeliveries", text: "" });
        continue;
      }
      const isSuspect = hung.has(id) || deliveries >= suspectFrom();
      if (isSuspect && suspects++ > 0) {
        // One at a time: the others wait by their ids, and go on if nobody here has time for them.
        held.adopt({
          id,
          deliveries: deliveries - 1,
          dueAtMs: nowMs,
          ripeAtMs: nowMs,
          isSuspect,
          hasFailedHere: false,
        });
        continue;
      }
      const message = admit(entry, { heldSinceMs, ripeAtMs: nowMs, isSuspect });
      if (message === undefined) continue;
      // Never offered to anybody: as good as new.
      if (deliveries === 1 && !isSuspect) fresh.push(message);
      else due.push(message);
    }
    held.lineUpFresh(fresh);
    held.lineUpDue(due);
  }

  /** On which of them a handler hung before: each of these is offered alone. */
  async #whichHung(entries: readonly DeliveredEntry[]): Promise<ReadonlySet<EntryId>> {
    const { client, policy } = this.#context;
    const ids = entries.filter(({ deliveries }) => deliveries > 1).map(({ id }) => id);
    if (ids.length === 0) return new Set();
    const { stream, group } = policy;
    return client.hungAmong({ stream, group, ids }).catch((error: unknown) => {
      // Better offered among others than not at all.
      if (!RedisBatchError.is(error)) throw error;
      return new Set<EntryId>();
    });
  }
}
