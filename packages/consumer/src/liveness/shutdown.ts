/**
 * Stops the work on a stream in order: stops receiving, releases what no handler will get, waits for handlers and senders until
 * the deadline, releases the rest, and removes the name.
 */
import { UsageError } from "@redis-batch/core";
import type { StopReport } from "../events.ts";
import type { BatchScheduler } from "../scheduling/batch-scheduler.ts";
import type { OpenBatches } from "../scheduling/open-batches.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Scope } from "../scope.ts";
import type { Acknowledger } from "../settling/acknowledger.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";
import type { Releaser } from "../settling/releaser.ts";
import type { SurplusReleaser } from "../settling/surplus-releaser.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HoldLimit } from "./hold-limit.ts";
import type { LeaseRenewer } from "./lease-renewer.ts";
import { leaveGroup } from "./leave-group.ts";
import type { Startup } from "./startup.ts";
import { untilAborted, withTimeout } from "./with-timeout.ts";

// How long releasing may take after the deadline of the drain.
const LEAVE_MS = 5_000;
// The same where the server has not answered before.
const LEAVE_SILENT_MS = 1_000;
// How much longer than its own wait the last answer may take. Without one the server is taken to be silent.
const LAST_ANSWER_MS = 2_000;

export interface ShutdownParts<Value> {
  readonly startup: Startup<Value>;
  /** The parts that bring messages in. */
  readonly receiving: readonly { stop(): Promise<void> }[];
  readonly scheduler: BatchScheduler<Value>;
  readonly open: OpenBatches<Value>;
  readonly surplus: SurplusReleaser<Value>;
  readonly acknowledger: Acknowledger<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly releaser: Releaser<Value>;
  readonly holdLimit: HoldLimit<Value>;
  readonly sinkWatch: SinkWatch;
  readonly heartbeat: Heartbeat;
  readonly leases: LeaseRenewer<Value>;
}

export class Shutdown<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: ShutdownParts<Value>;
  #leaving: Promise<StopReport> | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #isNameTaken = false;

  constructor(scope: Scope<Value>, parts: ShutdownParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  /** Stops the work on the stream, and leaves its group. Every call gets the same report. */
  leave(): Promise<StopReport> {
    this.#leaving ??= this.#stop();
    return this.#leaving;
  }

  /**
   * Resolves when nothing is under way any more. A read that waits at a server that does not answer only ends when the client
   * is closed.
   */
  async finish(): Promise<void> {
    await this.leave();
    await this.#ended;
    this.#scope.held.clear();
  }

  /** Another process has taken the name and works on its messages: from now on touches nothing under this name. */
  letGoOfName(error: Error): void {
    const { releaser, deadLetterWriter, acknowledger, holdLimit, open } = this.#parts;
    this.#isNameTaken = true;
    for (const part of [releaser, deadLetterWriter, acknowledger, holdLimit]) part.stop();
    open.abandon(error);
  }

  async #stop(): Promise<StopReport> {
    const { policy, clock, lifecycle } = this.#scope;
    const { startup, scheduler, open, surplus, releaser } = this.#parts;
    const { acknowledger, deadLetterWriter, holdLimit, sinkWatch, heartbeat, leases } = this.#parts;
    const { drainMs } = policy;
    if (lifecycle.canMoveTo("draining")) lifecycle.moveTo("draining");
    const movedBefore = releaser.moved;
    const deadline = new AbortController();
    const cancelDeadline = clock.setTimer(drainMs, () => deadline.abort());
    const startupEnded = startup.stop();
    let isSilent = !(await this.#endsWithin(LAST_ANSWER_MS, startupEnded));
    scheduler.drain();
    surplus.stop();
    const receivingEnded = Promise.all(this.#parts.receiving.map((part) => part.stop()));
    const lastAnswer = this.#endsWithin(policy.blockMs + LAST_ANSWER_MS, receivingEnded);
    // Messages that no handler will get are not kept until the running handlers have ended.
    const readAheadLeft = lastAnswer.then((isThere) => {
      isSilent ||= !isThere;
      return surplus.drain();
    });
    await untilAborted(deadline.signal, Promise.all([readAheadLeft, open.whenNone()]));
    const abandoned = open.abandon(
      new UsageError(`the consumer stopped: the batch was not finished within ${drainMs} ms`),
    );
    const sending = [acknowledger, deadLetterWriter, releaser];
    await untilAborted(deadline.signal, Promise.all(sending.map((sender) => sender.whenIdle())));
    cancelDeadline();
    const unconfirmedAcks = acknowledger.pending;
    for (const part of [...sending, holdLimit, sinkWatch]) part.stop();
    const keepersEnded = Promise.all([heartbeat.stop(), leases.stop()]);
    this.#ended = Promise.all([startupEnded, receivingEnded, keepersEnded]);
    const leaveMs = isSilent ? LEAVE_SILENT_MS : LEAVE_MS;
    const goneAtMs = clock.nowMs() + leaveMs;
    await withTimeout(clock, leaveMs, keepersEnded);
    // It must not touch anything under a name that is not its own.
    const mayTouch = startup.hasJoined && !this.#isNameTaken;
    const left = mayTouch ? await this.#leave(goneAtMs) : { released: 0, nameRemoved: false };
    lifecycle.moveTo("closed");
    return { ...left, released: left.released + releaser.moved - movedBefore, unconfirmedAcks, abandoned };
  }

  async #endsWithin(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
    const isEnded = withTimeout(
      this.#scope.clock,
      limitMs,
      promise.then(() => true),
    );
    return (await isEnded) ?? false;
  }

  async #leave(goneAtMs: number): Promise<{ readonly released: number; readonly nameRemoved: boolean }> {
    const { policy, client, clock, held } = this.#scope;
    const { stream, group, name } = policy;
    const { deferred, ...others } = held.inventory();
    const nowMs = clock.nowMs();
    const isDue = ({ dueAtMs }: { readonly dueAtMs: number }): boolean => dueAtMs <= nowMs;
    const last = {
      neverOffered: others.neverOffered,
      offered: [...others.offered, ...deferred.filter(isDue).map(({ id }) => id)],
      deferred: deferred.filter((one) => !isDue(one)).map(({ id, dueAtMs }) => ({ id, delayMs: dueAtMs - nowMs })),
    };
    const who = { stream, group, consumer: name };
    const leaving = leaveGroup(client, who, last, this.#parts.heartbeat.finalReport());
    return (await withTimeout(clock, goneAtMs - nowMs, leaving)) ?? { released: 0, nameRemoved: false };
  }
}
