/** Sends the consumer's heartbeats. While they arrive, nobody else may take its messages or its name. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { ConfigError, ConsumerNameInUseError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import {
  type FinalReport,
  type HeartbeatDetails,
  type HeartbeatJoin,
  type HeartbeatResult,
  POOL_VARIABLE,
} from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import { Loop, VERSION } from "@redis-batch/core/internal/service";
import { mostReadAhead } from "../decisions/fetch-size.ts";
import type { IntakeControl } from "../scheduling/intake-control.ts";
import type { OpenBatches } from "../scheduling/open-batches.ts";
import type { RateGate } from "../scheduling/rate-gate.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Scope } from "../scope.ts";
import type { ReservedNames } from "./reserved-names.ts";
import { describeNameInUse, type RefusedHeartbeat, takeName } from "./take-name.ts";
import type { WorkCounter } from "./work-counter.ts";

// Two clocks do not run alike, and a heartbeat that is too early learns nothing new.
const LEAST_WAIT_MS = 50;

export interface HeartbeatParts {
  readonly intake: IntakeControl;
  readonly open: Pick<OpenBatches<unknown>, "messages" | "oldestMs" | "busyMs">;
  readonly rate: RateGate;
  readonly reservedNames: ReservedNames;
  readonly sinkWatch: SinkWatch;
  readonly work: WorkCounter;
  /** When this consumer's last heartbeat for the stream was written, by the server's clock; `null`: there was none. */
  readonly lastAtMs: number | null;
}

export class Heartbeat {
  readonly #scope: Scope;
  readonly #parts: HeartbeatParts;
  /** Tells this process from another one under the same name. */
  readonly #incarnation: string = randomUUID();
  readonly #loop: Loop;
  /** When the last answered heartbeat was sent; `null`: the server may have forgotten it. */
  #knownSinceMs: number | null = null;
  #lastAtMs: number | null;
  /** How much of the handlers' time goes to other streams, and what that was counted from. */
  #elsewhere: { readonly atMs: number; readonly busyMs: number; readonly ratio: number };

  constructor(scope: Scope, parts: HeartbeatParts) {
    this.#scope = scope;
    this.#parts = parts;
    this.#lastAtMs = parts.lastAtMs;
    this.#elsewhere = { atMs: scope.clock.nowMs(), busyMs: 0, ratio: 0 };
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => this.#onError(error),
    });
  }

  /** When the last heartbeat was written, by the server's clock; `null`: none was. */
  get lastAtMs(): number | null {
    return this.#lastAtMs;
  }

  /**
   * Takes the consumer's name in the group.
   *
   * @throws {ConsumerNameInUseError} when another process sends heartbeats under the name
   * @throws {ConfigError} when others are in the group, and this one or one of them must be alone
   */
  join(signal: AbortSignal): Promise<void> {
    const { policy, clock } = this.#scope;
    const [send, refuse] = [this.#send.bind(this), this.#refuse.bind(this)];
    return takeName({ clock, policy, lastAtMs: this.#lastAtMs, send, refuse, signal });
  }

  /**
   * Sends a heartbeat at once if the server may have forgotten the name: nothing may be read under an unregistered name. If the
   * process then died, its messages would count as a foreign consumer's, and nobody would release them for a long time.
   *
   * @throws {ConsumerNameInUseError} when another process has the name
   */
  async assure(): Promise<void> {
    const { policy, clock } = this.#scope;
    if (this.#knownSinceMs !== null && clock.nowMs() - this.#knownSinceMs < policy.leaseMs / 2) return;
    const answer = await this.#send(undefined);
    if (answer.kind !== "ok") throw this.#refuse(answer);
  }

  /** The group is gone, and the registry may be gone too. */
  forget(): void {
    this.#knownSinceMs = null;
    this.#parts.reservedNames.forget();
  }

  /** The work since the last heartbeat, for those who count the group's work; `undefined` if this consumer never worked. */
  finalReport(): FinalReport | undefined {
    if (!this.#parts.work.hasWorked) return undefined;
    return { incarnation: this.#incarnation, leaseMs: this.#scope.policy.leaseMs, details: this.#details() };
  }

  start(): void {
    // Who joins a group that is paused says at once that it rests, and learns when the pause is over.
    this.#loop.start(this.#parts.intake.groupPause === null ? this.#scope.policy.heartbeatMs : 0);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #pass(): Promise<number> {
    const { policy, client, held, signals } = this.#scope;
    const { stream, group, name } = policy;
    const { intake } = this.#parts;
    const wasPaused = intake.groupPause !== null;
    const answer = await this.#send(undefined);
    if (answer.kind !== "ok") throw this.#refuse(answer);
    const { consumers } = await client.xpendingSummary({ stream, group });
    // More messages are pending for this consumer than it holds.
    if ((consumers.get(name) ?? 0) > held.size) signals.pendingUnknown.raise();
    await this.#parts.reservedNames.keep(consumers);
    signals.heartbeatSent.raise();
    // The registry says at once that this consumer has stopped, or goes on.
    return wasPaused === (intake.groupPause !== null) ? this.#nextInMs(answer) : 0;
  }

  /** The next heartbeat, which also learns that the time of a pause is over: by the server's clock, so not much later. */
  #nextInMs({ serverTimeMs, pause: paused }: HeartbeatResult & { readonly kind: "ok" }): number {
    const { heartbeatMs } = this.#scope.policy;
    const untilMs = paused?.untilMs ?? null;
    return untilMs === null ? heartbeatMs : Math.min(heartbeatMs, Math.max(untilMs - serverTimeMs, LEAST_WAIT_MS));
  }

  #onError(error: unknown): number | "end" {
    const { policy, report, fail, signals } = this.#scope;
    if (!RedisBatchError.is(error) || (!error.retryable && error.code !== "NO_GROUP")) {
      fail(error);
      return "end";
    }
    // The reader recreates a deleted group.
    if (error.code === "NO_GROUP") signals.pendingUnknown.raise();
    report({ type: "heartbeatFailed", error: toErrorInfo(error) });
    return policy.heartbeatMs;
  }

  async #send(join: HeartbeatJoin | undefined): Promise<HeartbeatResult> {
    const { policy, client, clock } = this.#scope;
    const { stream, group, name, leaseMs, isAlone } = policy;
    const sentAtMs = clock.nowMs();
    const answer = await client.heartbeat({
      stream,
      group,
      consumer: name,
      incarnation: this.#incarnation,
      leaseMs,
      join,
      beside: isAlone ? "nobody" : undefined,
      details: this.#details(),
    });
    this.#knownSinceMs = sentAtMs;
    if (answer.kind === "ok") {
      this.#lastAtMs = answer.serverTimeMs;
      this.#parts.intake.setGroupPause(answer.pause);
      this.#parts.rate.setLimit(answer.rateLimit);
    }
    return answer;
  }

  /** What the heartbeat says about this consumer. */
  #details(): HeartbeatDetails {
    const { policy, held, lifecycle, usage, shares } = this.#scope;
    const { batchSize, maxDeferred, maxHoldMs, isAlone } = policy;
    const { open, sinkWatch, work } = this.#parts;
    const concurrency = usage.places;
    const intake = this.#parts.intake.hold;
    const { parked } = held;
    const { oldestOfferableMs, freePlaces, handlersHung } = this.#parts.intake.load();
    return {
      host: hostname(),
      pid: process.pid,
      pool: process.env[POOL_VARIABLE] ?? null,
      version: VERSION,
      state: lifecycle.state,
      batchSize,
      concurrency,
      // The most it holds on purpose: read ahead, at work, and deferred.
      capacity: batchSize * concurrency + mostReadAhead(policy) + maxDeferred,
      inFlight: open.messages,
      batchesElsewhere: shares.openElsewhere(),
      busyElsewhereRatio: this.#busyElsewhereRatio(),
      isAlone,
      deferred: held.deferredCount,
      ...{ parked: parked?.messages ?? null, blockedKeys: parked?.keys ?? null },
      // A place that is left empty on purpose is not free.
      freePlaces: intake === "open" ? freePlaces : 0,
      oldestInFlightMs: open.oldestMs,
      oldestOfferableMs,
      holdLimitMs: maxHoldMs,
      handlersHung,
      intake,
      obeysPause: true,
      otherRate: this.#parts.rate.other,
      isUnfit: sinkWatch.isUnfit,
      deadLettered: work.deadLettered,
      acked: work.acked,
      busyMs: open.busyMs,
      work: work.work,
    };
  }

  /** Heartbeats that follow each other at once, as when it joins, are too short a time to judge by. */
  #busyElsewhereRatio(): number {
    const { policy, clock, shares, usage } = this.#scope;
    const [atMs, busyMs] = [clock.nowMs(), shares.busyElsewhereMs()];
    const before = this.#elsewhere;
    const elapsedMs = atMs - before.atMs;
    if (elapsedMs < policy.heartbeatMs / 2) return before.ratio;
    const share = (busyMs - before.busyMs) / (elapsedMs * Math.max(1, usage.places));
    // A stream that starts again counts from 0.
    this.#elsewhere = { atMs, busyMs, ratio: Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 1_000 };
    return this.#elsewhere.ratio;
  }

  #refuse(answer: RefusedHeartbeat): ConsumerNameInUseError | ConfigError {
    const { name, group, isAlone } = this.#scope.policy;
    if (answer.kind === "occupied") {
      const others = answer.by.map(({ consumer }) => quoteName(consumer)).join(", ");
      return new ConfigError(`the consumer ${quoteName(name)}`, [
        isAlone
          ? `orderBy needs the group ${quoteName(group)} for itself, and others are alive in it (${others}): stop them first, or ` +
            'set orderScope: "consumer" if order within each consumer is enough'
          : `${others} keeps the messages of the group ${quoteName(group)} in order, so no other consumer may join it: stop it ` +
            'first, set orderScope: "consumer" there, or use another group',
      ]);
    }
    return new ConsumerNameInUseError(`the consumer name ${quoteName(name)} ${describeNameInUse(answer)}`, {
      consumer: name,
    });
  }
}
