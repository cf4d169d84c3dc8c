/**
 * Decides how much may come in and go out now: what the reader may read, the claimer claim, and the scheduler offer. Knows why
 * no new messages are read, if they are not, and reports when that changes.
 */
import type { GroupPause } from "@redis-batch/core";
import { decideRoomInLines } from "../decisions/blocked-keys.ts";
import { decideReadAhead } from "../decisions/fetch-size.ts";
import {
  decideIntake,
  decidePlacesForReleased,
  decideReading,
  decideShareOfReleased,
  type Reading,
  type TakingFacts,
} from "../decisions/intake.ts";
import type { Gate } from "../decisions/next-batch.ts";
import { longestAnswerMs } from "../decisions/pace.ts";
import { type Load, patienceOf } from "../decisions/surplus.ts";
import type { IntakeHold } from "../events.ts";
import type { ConnectionWatch } from "../liveness/connection-watch.ts";
import type { LeaseRenewer } from "../liveness/lease-renewer.ts";
import type { PositionWatch } from "../receiving/position-watch.ts";
import type { ReadWatch } from "../receiving/read-watch.ts";
import type { Scope } from "../scope.ts";
import type { Releaser } from "../settling/releaser.ts";
import type { OpenBatches } from "./open-batches.ts";
import type { RateGate } from "./rate-gate.ts";
import type { SinkWatch } from "./sink-watch.ts";
import type { WaitingCalls } from "./waiting-calls.ts";

export interface IntakeParts {
  readonly connection: ConnectionWatch;
  readonly leases: LeaseRenewer<unknown>;
  readonly open: Pick<OpenBatches<unknown>, "hung" | "isProbing" | "durationMs" | "mostDurationMs">;
  readonly positionWatch: PositionWatch;
  readonly rate: RateGate;
  readonly readWatch: ReadWatch;
  readonly releaser: Releaser<unknown>;
  readonly sinkWatch: SinkWatch;
  readonly waiting: Pick<WaitingCalls<unknown>, "wanted">;
}

export class IntakeControl {
  readonly #scope: Scope;
  readonly #parts: IntakeParts;
  #isPausedHere = false;
  #groupPause: GroupPause | null = null;
  /** Whether the next attempt has been offered and has not reached its handler yet. */
  #isProbeOnItsWay = false;
  /** What was last reported. */
  #reported: IntakeHold | "open" = "open";

  constructor(scope: Scope, parts: IntakeParts) {
    this.#scope = scope;
    this.#parts = parts;
    const { batchEnded, paceChanged, heartbeatSent, intakeTouched, placesChanged } = scope.signals;
    const all = [batchEnded, paceChanged, heartbeatSent, intakeTouched, placesChanged];
    for (const signal of all) signal.listen(() => this.#report());
    parts.sinkWatch.probesWhen(() => parts.open.isProbing || this.#isProbeOnItsWay);
  }

  /** Whether it is paused, by itself or with the whole group. */
  get isPaused(): boolean {
    return this.#isPausedHere || this.#groupPause !== null;
  }

  /** The pause of the whole group; `null`: the group is not paused. */
  get groupPause(): GroupPause | null {
    return this.#groupPause;
  }

  pause(): void {
    this.#isPausedHere = true;
    this.#report();
  }

  resume(): void {
    this.#isPausedHere = false;
    this.#report();
  }

  /** Nothing will be offered any more. */
  stop(): void {
    this.#parts.rate.stop();
  }

  /** What the last heartbeat was told. Reports when the group was paused or resumed since the one before. */
  setGroupPause(pause: GroupPause | null): void {
    const was = this.#groupPause;
    this.#groupPause = pause;
    if (was?.sinceMs === pause?.sinceMs && was?.untilMs === pause?.untilMs) return;
    this.#scope.report(pause === null ? { type: "groupResumed" } : { type: "groupPaused", ...pause });
    this.#report();
    this.#scope.signals.groupPauseChanged.raise();
  }

  /** Whether the server cannot be reached, or has not answered for longer than a read waits. */
  get isCutOff(): boolean {
    const { connection, readWatch } = this.#parts;
    return !connection.isConnected || readWatch.unansweredMs > longestAnswerMs(this.#scope.policy);
  }

  /** Why no new messages are read; `open` if they are. */
  get hold(): IntakeHold | "open" {
    const { state } = this.#scope.lifecycle;
    const { positionWatch, readWatch, sinkWatch } = this.#parts;
    const { usage, order, policy } = this.#scope;
    return decideIntake({
      isDraining: state === "draining" || state === "closed" || state === "failed",
      isPaused: this.#isPausedHere,
      isGroupPaused: this.#groupPause !== null,
      isServerAway: state !== "idle" && (this.isCutOff || readWatch.failures > 0),
      isAheadOfStream: positionWatch.isAheadOfStream,
      handlersHung: this.#hung,
      places: usage.places,
      isBackingOff: this.#isBackingOff,
      isUnfit: usage.mode === "loop" && sinkWatch.isUnfit,
      isProbing: sinkWatch.mayTry,
      isDeferredFull: this.#isDeferredFull,
      isKeyBlocked: order !== undefined && order.behindOthers >= policy.maxDeferred,
      isRateLimited: this.#parts.rate.isWaiting,
    });
  }

  /** Whether, and how far, new messages are read now. */
  reading(): Reading {
    const { policy, held, usage, shares, order } = this.#scope;
    const { open, waiting } = this.#parts;
    const isBackingOff = this.#isBackingOff;
    const roomInLines = this.#roomInLines;
    return decideReading({
      isPaused: this.isPaused,
      handlersHung: this.#hung,
      places: usage.places,
      isBackingOff,
      mayProbe: isBackingOff && this.#mayProbe,
      wanted: waiting.wanted,
      fresh: held.fresh.messages,
      isDeferredFull: this.#isDeferredFull,
      batchTakesMs: Math.max(open.durationMs, shares.batchTakesElsewhereMs()),
      patienceMs: patienceOf(policy.maxWaitMs),
      maxDeliveries: usage.maxDeliveries,
      batchSize: policy.batchSize,
      roomInLines,
      areKeysWaiting: order !== undefined && order.size > 0,
      isProofWanted: roomInLines === "few" && order?.isProofWanted === true,
    });
  }

  /** How many batches are read ahead at most. */
  get prefetch(): number {
    const { policy, usage } = this.#scope;
    // Under `fetch()` nobody knows when the next call comes.
    return usage.mode === "fetch" ? policy.prefetch : decideReadAhead(policy, this.#parts.open.mostDurationMs);
  }

  /** What may be offered now. */
  gate(): Gate {
    const { connection, leases } = this.#parts;
    const isCutOff = !connection.isConnected;
    if (this.isPaused) return { isPaused: true, isCutOff, limit: 0 };
    if (!leases.isCertain()) return { isPaused: false, isCutOff, limit: 0 };
    const limit = !this.#isBackingOff ? this.#scope.policy.batchSize : this.#mayProbe ? 1 : 0;
    // Like a pause: the server has nothing to do with it.
    if (limit > 0 && !this.#parts.rate.isOpen()) return { isPaused: true, isCutOff, limit: 0 };
    return { isPaused: false, isCutOff, limit };
  }

  /** A batch has been offered, and its caller does not have it yet. */
  offered(messages: number): void {
    this.#parts.rate.offered(messages);
    this.#isProbeOnItsWay = this.#isBackingOff;
  }

  /** The caller has its batch. */
  handed(): void {
    this.#isProbeOnItsWay = false;
  }

  /** How many released messages there are free handlers for. */
  placesForReleased(): number {
    return this.#mayTake ? decidePlacesForReleased(this.#takingFacts()) : 0;
  }

  /** How many released messages are claimed at least, however many messages are in memory. */
  shareOfReleased(): number {
    return this.#mayTake ? decideShareOfReleased(this.#takingFacts()) : 0;
  }

  /** What this consumer holds, and what it can work on. */
  load(): Load {
    const { held, lifecycle, usage, clock } = this.#scope;
    const { waiting } = this.#parts;
    const sinceMs = held.oldestOfferableSinceMs;
    return {
      isDraining: !lifecycle.isOpen,
      isPaused: this.isPaused,
      // The message of the next attempt is read when the attempt is due; until then others can work on it.
      isBackingOff: this.#isBackingOff && !this.#mayProbe,
      handlersHung: this.#hung,
      places: usage.places,
      freePlaces: waiting.wanted,
      oldestOfferableMs: sinceMs === null ? null : clock.nowMs() - sinceMs,
    };
  }

  /** Handlers that hang, on whichever stream: they have a place that nobody else gets. */
  get #hung(): number {
    return this.#parts.open.hung + this.#scope.shares.hungElsewhere();
  }

  /** Whether messages are tried one at a time. Under `fetch()` the caller sets the pace. */
  get #isBackingOff(): boolean {
    return this.#scope.usage.mode === "loop" && this.#parts.sinkWatch.isBackingOff;
  }

  /** Whether the next attempt may be made now, while all messages fail. */
  get #mayProbe(): boolean {
    const { sinkWatch, open } = this.#parts;
    return sinkWatch.mayTry && !open.isProbing && !this.#isProbeOnItsWay;
  }

  get #isDeferredFull(): boolean {
    const { held, policy, order } = this.#scope;
    if (this.#roomInLines === "full") return true;
    if (this.#parts.releaser.canDefer) return false;
    return held.deferredCount - (order?.behindOthers ?? 0) >= policy.maxDeferred;
  }

  /** How many more messages may be in lines: the order of what is deferred in Redis must be known here as well. */
  get #roomInLines(): "open" | "few" | "full" {
    const { order, policy } = this.#scope;
    return order === undefined ? "open" : decideRoomInLines(order, policy.maxDeferred);
  }

  /**
   * Whether a new message is tried rather than one that waited: while all fails and messages wait in lines, the first of each
   * line has failed already.
   */
  get prefersNew(): boolean {
    const { order } = this.#scope;
    return order !== undefined && order.size > 0 && this.#isBackingOff;
  }

  /** Whether a handler is free for released messages. */
  get #mayTake(): boolean {
    const { waiting, leases } = this.#parts;
    const isRunning = this.#scope.lifecycle.state === "running";
    return waiting.wanted > 0 && !this.isPaused && isRunning && leases.isCertain();
  }

  #takingFacts(): TakingFacts {
    const { policy, held } = this.#scope;
    const isBackingOff = this.#isBackingOff;
    return {
      isBackingOff,
      mayProbe: isBackingOff && this.#mayProbe,
      batchSize: policy.batchSize,
      retryShare: policy.retryShare,
      wanted: this.#parts.waiting.wanted,
      fresh: held.fresh.messages,
      due: held.due.messages,
      dueAmongOthers: held.dueAmongOthers.messages,
    };
  }

  /** Reports when new messages are no longer read, or are read again. */
  #report(): void {
    if (this.#scope.lifecycle.state !== "running") return;
    const { hold } = this;
    if (hold === this.#reported) return;
    this.#reported = hold;
    this.#scope.report(hold === "open" ? { type: "intakeOpened" } : { type: "intakeHeld", by: hold });
  }
}
