/**
 * One stream of a consumer, and everything the consumer does for it: its lane. Lanes know nothing of each other. They share the
 * client, the callers that wait for a batch, and the room to read ahead.
 */
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { type Clock, Lifecycle, type Random } from "@redis-batch/core/internal/service";
import type { OwnedPartition } from "./batch.ts";
import type { StopReport, StreamEvent } from "./events.ts";
import type { ConnectionWatch } from "./liveness/connection-watch.ts";
import { WorkCounter } from "./liveness/work-counter.ts";
import type { ConsumerPolicy } from "./options.ts";
import { type ConsumerParts, createParts } from "./parts.ts";
import type { LookTimes } from "./receiving/look-times.ts";
import { ReplySize } from "./receiving/reply-size.ts";
import type { NewEntries } from "./receiving/shared-reads.ts";
import type { BatchSource } from "./scheduling/callers.ts";
import { HeldMessages } from "./scheduling/held-messages.ts";
import { KeyOrder } from "./scheduling/key-order.ts";
import type { Sink } from "./scheduling/sink.ts";
import type { Scope, Shares } from "./scope.ts";
import { Signals } from "./signals.ts";
import type { Usage } from "./usage.ts";

/** What the lanes of a consumer have in common. */
export interface LaneOptions<Value> {
  /** With the lane's own stream, and its part of what is divided. */
  readonly policy: ConsumerPolicy<Value>;
  readonly client: StreamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly usage: Usage;
  readonly connection: ConnectionWatch;
  /** When the last heartbeat of the lane before was written, by the server's clock; `null`: there was none. */
  readonly lastHeartbeatMs: number | null;
  readonly newEntries: NewEntries;
  /** The partition that the stream is; `undefined`: none. */
  readonly owned: OwnedPartition | undefined;
  readonly shares: Shares;
  readonly lookTimes: LookTimes;
  readonly sink: Sink;
  readonly report: (event: StreamEvent) => void;
  /** The lane cannot go on. */
  readonly fail: (error: unknown) => void;
}

export class Lane<Value> implements BatchSource<Value> {
  readonly scope: Scope<Value>;
  readonly parts: ConsumerParts<Value>;

  constructor({ connection, lastHeartbeatMs, report, ...given }: LaneOptions<Value>) {
    const signals = new Signals();
    const work = new WorkCounter();
    const order = given.policy.orderBy === undefined ? undefined : new KeyOrder();
    this.scope = {
      ...given,
      signals,
      lifecycle: new Lifecycle("Consumer"),
      held: new HeldMessages<Value>(signals.roomChanged, order),
      order,
      replySize: new ReplySize(),
      report: (event) => {
        work.count(event);
        report(event);
      },
    };
    this.parts = createParts(this.scope, { connection, work, lastHeartbeatMs });
    signals.groupPauseChanged.listen(() => this.#pauseChanged());
  }

  get stream(): string {
    return this.scope.policy.stream;
  }

  get scheduler(): ConsumerParts<Value>["scheduler"] {
    return this.parts.scheduler;
  }

  callTakenBack(): void {
    this.scheduler.decide();
    this.parts.reader.wantedLess();
  }

  /**
   * Resolves with `true` when it runs, and with `false` when it was stopped before.
   *
   * @throws an error that cannot pass, or the last one when `connectTimeoutMs` is over
   */
  start(): Promise<boolean> {
    return this.parts.startup.start();
  }

  /** Reads new messages, unless the consumer is paused. */
  startReading(): void {
    if (!this.parts.intake.isPaused && this.scope.lifecycle.state === "running") this.parts.reader.resume();
  }

  pause(): void {
    this.parts.intake.pause();
    this.#pauseChanged();
  }

  resume(): void {
    this.parts.intake.resume();
    this.#pauseChanged();
  }

  #pauseChanged(): void {
    const { intake, reader, waiting, surplus, claimer } = this.parts;
    if (intake.isPaused) {
      reader.pause();
      waiting.readingRests();
      if (this.scope.lifecycle.state === "running") void surplus.look();
      return;
    }
    // It may claim again what it released because it was paused.
    claimer.batchEnded();
    if (this.scope.usage.current !== undefined) this.startReading();
    this.scheduler.decide();
  }

  /** Stops handing out batches: callers that wait for one get the error. */
  fail(error: unknown): void {
    const { lifecycle } = this.scope;
    if (lifecycle.canMoveTo("failed")) lifecycle.moveTo("failed");
    this.scheduler.fail(error);
  }

  leave(): Promise<StopReport> {
    return this.parts.shutdown.leave();
  }

  finish(): Promise<void> {
    return this.parts.shutdown.finish();
  }
}
