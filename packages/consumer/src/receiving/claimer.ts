/**
 * Claims released messages, those under the name `rb:released`: only for a handler that is free now, never ahead of time.
 * Looks for them at the start, when a handler becomes free, and each second.
 */
import { ConnectionError, type EntryId, NoGroupError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import type { DeliveredEntry } from "@redis-batch/core/internal/messages";
import { Loop } from "@redis-batch/core/internal/service";
import type { Peers } from "../liveness/peers.ts";
import type { Message } from "../message.ts";
import type { Reserved } from "../scheduling/held-index.ts";
import type { IntakeControl } from "../scheduling/intake-control.ts";
import type { OpenBatches } from "../scheduling/open-batches.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";
import type { SecondOpinions } from "../settling/second-opinions.ts";
import type { MessageBuilder } from "./message-builder.ts";
import type { OwnPending } from "./own-pending.ts";

const LOOKED_AT_ONCE = 1_000;
// Each one is an argument of the script; the newest ones matter most.
const MOST_NOT_WANTED = 200;

export interface ClaimerParts<Value> {
  readonly builder: Pick<MessageBuilder<Value>, "readmit">;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly intake: Pick<IntakeControl, "placesForReleased" | "shareOfReleased">;
  readonly open: Pick<OpenBatches<Value>, "isAny">;
  readonly ownPending: Pick<OwnPending<Value>, "isKnown">;
  readonly peers: Peers;
  readonly secondOpinions: SecondOpinions;
}

export class Claimer<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: ClaimerParts<Value>;
  readonly #loop: Loop;
  /** After which message the next look begins. It wraps around, so that the first messages do not hide the rest. */
  #cursor: EntryId | null = null;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  /** Whether there are, or may be, released messages. */
  #isMore = true;
  #taking: Promise<void> | undefined;
  /** Whether the last look for a suspect found one, so there may be more. */
  #mayBeMoreSuspects = false;
  /** Whether this consumer released messages it could not offer while it was busy. Then one of its batches has to end first. */
  #mustWait = false;

  constructor(scope: Scope<Value>, parts: ClaimerParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
    });
    const { batchEnded, offerableChanged, placesChanged, releasedFound } = scope.signals;
    for (const signal of [batchEnded, placesChanged]) signal.listen(() => this.batchEnded());
    releasedFound.listen(() => {
      this.expire();
      offerableChanged.raise();
    });
  }

  start(): void {
    this.#loop.start(this.#scope.lookTimes.nextInMs);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** This consumer has released messages that it could not offer. */
  releasedUnoffered(): void {
    this.#mustWait = this.#parts.open.isAny || this.#scope.shares.openElsewhere() > 0;
  }

  /** A batch has ended, so this consumer may claim again. */
  batchEnded(): void {
    this.#mustWait = false;
  }

  /** Makes it look as soon as a handler is free and has nothing else to do. */
  expire(): void {
    this.#isMore = true;
  }

  /** Whether it is time to look, and a handler is free for what is found. */
  isWanted(): boolean {
    const { intake, ownPending } = this.#parts;
    if (!this.#loop.isRunning || this.#taking !== undefined || this.#mustWait || !ownPending.isKnown) return false;
    const places = intake.placesForReleased();
    if (places > 0 && (this.#isMore || (this.#mayBeMoreSuspects && this.#wantsSuspect()))) return true;
    return this.#scope.clock.nowMs() >= this.#nextAtMs && Math.max(places, intake.shareOfReleased()) > 0;
  }

  /** Whether a suspect could be offered next: one at a time, and this consumer's own suspects first. */
  #wantsSuspect(): boolean {
    const { held } = this.#scope;
    return !held.isSuspectOpen && !held.isSuspectBuffered && !held.waitingForPayload.suspect;
  }

  /** Resolves when no claim is under way. */
  async whenIdle(): Promise<void> {
    await this.#taking;
  }

  /** Claims as many messages as there are places for. */
  take(): Promise<void> {
    this.#taking ??= this.#takeOnce().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeOnce(): Promise<void> {
    const { clock, report, replySize, fail, signals, lookTimes } = this.#scope;
    const { intake } = this.#parts;
    this.#isMore = false;
    this.#mayBeMoreSuspects = false;
    this.#nextAtMs = clock.nowMs() + lookTimes.nextInMs;
    const places = intake.placesForReleased();
    const count = Math.min(places > 0 ? places : intake.shareOfReleased(), replySize.limit);
    try {
      await this.#take(count);
    } catch (error) {
      // The claimed messages may be pending for this consumer.
      signals.pendingUnknown.raise();
      if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(count);
      // The reader recreates a deleted group.
      if (NoGroupError.is(error)) return;
      if (!RedisBatchError.is(error) || !error.retryable) return fail(error);
      report({ type: "recoveryFailed", error: toErrorInfo(error) });
    } finally {
      // Not as soon as the answer arrives: the answer to an outcome may arrive with it and be handled in between.
      this.#scope.held.stopNoting();
    }
  }

  #pass(): number {
    const { clock, signals, lookTimes } = this.#scope;
    const nowMs = clock.nowMs();
    if (nowMs < this.#nextAtMs) return this.#nextAtMs - nowMs;
    signals.offerableChanged.raise();
    return lookTimes.nextInMs;
  }

  async #take(count: number): Promise<void> {
    const { client, policy, held, clock, replySize, report, usage } = this.#scope;
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
      suspectFrom: usage.suspectFrom,
      suspects: wantsSuspect ? 1 : 0,
      notWanted: this.#parts.secondOpinions.notWanted().slice(-MOST_NOT_WANTED),
    });
    this.#cursor = next;
    // There is more, so the next free handler need not wait a second.
    if (next !== null || taken.length >= count) this.expire();
    if (wantsSuspect) this.#mayBeMoreSuspects = taken.some(({ deliveries }) => usage.isSuspect(deliveries));
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    // The server may have got a late outcome of one of them after the claim.
    const entries = taken.filter(({ id }) => !ended.has(id));
    if (entries.length === 0) return;
    // Held from now on: the comparison with the pending list must not find them a second time.
    const reserved = new Map(entries.map(({ id }) => [id, held.reserve(id)]));
    await this.#lineUp(entries, reserved, heldSinceMs, wantsSuspect);
    let bytes = 0;
    for (const { id } of entries) bytes += held.messageOf(id)?.bytes ?? 0;
    replySize.arrived(entries.length, bytes);
    report({ type: "claimed", messages: entries.length });
  }

  /**
   * @param reserved how they are held until then
   * @param wantsSuspect whether a suspect among them can be offered now
   */
  async #lineUp(
    entries: readonly DeliveredEntry[],
    reserved: ReadonlyMap<EntryId, Reserved>,
    heldSinceMs: number,
    wantsSuspect: boolean,
  ): Promise<void> {
    const { held, clock, usage } = this.#scope;
    const { builder, deadLetterWriter } = this.#parts;
    const last = await this.#lastDelivery(entries);
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
      const isSuspect = hung.has(id) || usage.isSuspect(deliveries);
      if (isSuspect && suspects++ > 0) {
        // One at a time: of the others only the ids are kept, and they are released if no handler here gets to them.
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
      const message = builder.readmit(entry, { heldSinceMs, ripeAtMs: nowMs, isSuspect });
      if (message === undefined) continue;
      // It was never offered to any handler, so it counts as new.
      if (deliveries === 1 && !isSuspect) fresh.push(message);
      else due.push(message);
    }
    held.lineUpFresh(fresh);
    held.lineUpDue(due);
  }

  /**
   * The last delivery that is offered: `maxDeliveries`, and one more if another consumer is alive, which may have released the
   * message for a second opinion. None if one try is all that a message may have.
   */
  async #lastDelivery(entries: readonly DeliveredEntry[]): Promise<number> {
    const most = this.#scope.usage.maxDeliveries;
    if (most === 1 || entries.every(({ deliveries }) => deliveries <= most)) return most;
    const { isAnyAlive } = await this.#parts.peers.ask().catch((error: unknown) => {
      // Better to offer a message once too often than to dead-letter it too soon.
      if (!RedisBatchError.is(error)) throw error;
      return { isAnyAlive: true };
    });
    return isAnyAlive ? most + 1 : most;
  }

  /** Which of them a handler has hung on before: each of these is offered alone. */
  async #whichHung(entries: readonly DeliveredEntry[]): Promise<ReadonlySet<EntryId>> {
    const { client, policy } = this.#scope;
    const ids = entries.filter(({ deliveries }) => deliveries > 1).map(({ id }) => id);
    if (ids.length === 0) return new Set();
    const { stream, group } = policy;
    return client.hungAmong({ stream, group, ids }).catch((error: unknown) => {
      // Better to offer it in a batch with others than not at all.
      if (!RedisBatchError.is(error)) throw error;
      return new Set<EntryId>();
    });
  }
}
