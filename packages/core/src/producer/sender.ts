/**
 * Sends messages in order, over a connection that may be lost and come back.
 *
 * | a message is | until                                                                  | then                     |
 * |--------------|------------------------------------------------------------------------|--------------------------|
 * | queued       | there is a connection                                                  | sent                     |
 * |              | its deadline, its caller's abort, a refused login, or `stop()`         | ended, not sent          |
 * | sent         | the server's reply                                                     | ended                    |
 * |              | the connection fails                                                   | ended, outcome unknown   |
 * |              | it turns out that it was not written to a socket                       | queued again, same place |
 */

import { ConnectionError, type RedisBatchError } from "../errors/errors.ts";
import type { Clock } from "../service/clock.ts";
import type { StreamClient } from "../stream-client.ts";
import type { AddOnceResult } from "../wire/atomic/add-once.ts";
import type { Argument } from "../wire/command.ts";
import type { Trim } from "../wire/xadd.ts";
import type { ProducerEvent } from "./events.ts";
import { SharedAborts } from "./shared-aborts.ts";

export interface OutgoingMessage {
  readonly fields: readonly Argument[];
  readonly idempotencyKey: string | undefined;
}

export interface SenderOptions {
  readonly client: Pick<StreamClient, "connect" | "xaddMany" | "addOnce">;
  readonly clock: Clock;
  readonly stream: string;
  readonly trim: Trim | undefined;
  readonly rememberKeysMs: number;
  readonly notify: (event: ProducerEvent) => void;
}

/** Callbacks for the end of a message: one of the two is called, once. A promise per message would cost more than sending it. */
export interface Ending<Result> {
  readonly confirm: (result: Result) => void;
  readonly refuse: (reason: unknown) => void;
}

interface Job {
  /** Its position in the order of calls. */
  readonly place: number;
  readonly message: OutgoingMessage;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly ending: Ending<AddOnceResult>;
}

interface Failure {
  readonly job: Job;
  readonly error: unknown;
}

// A connection that counts as ready but cannot be written to is about to report its end: wait for that.
const REST_MS = 10;

// Each part ends separately. Half of a source's read-ahead: while the server handles one half, the other is read.
const TOGETHER = 500;

export class Sender {
  readonly #options: SenderOptions;
  readonly #aborts = new SharedAborts<Job>((job, reason) => {
    if (this.#queue.delete(job)) job.ending.refuse(reason);
  });
  #queue = new Set<Job>();
  #places = 0;
  #isPumping = false;
  #isResting = false;
  #isStopped = false;
  #wait: { readonly deadlineMs: number; readonly abort: AbortController } | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Sends a message once. Messages that arrive before the microtask queue is empty are sent together.
   *
   * @param waitMs how long it may wait for a connection; 0: it is sent now or not at all
   * @param signal cancels the message while it is queued, and rejects it with the signal's reason: it was not sent.
   * Once it is sent, the signal has no effect.
   */
  send(message: OutgoingMessage, waitMs: number, signal: AbortSignal | undefined, ending: Ending<AddOnceResult>): void {
    if (signal?.aborted) return ending.refuse(signal.reason);
    if (this.#isStopped) return ending.refuse(stopped());
    const deadlineMs = this.#options.clock.nowMs() + waitMs;
    const job: Job = { place: this.#places++, message, deadlineMs, signal, ending };
    if (signal !== undefined) this.#aborts.add(job, signal);
    this.#queue.add(job);
    if (this.#wait !== undefined && deadlineMs < this.#wait.deadlineMs) this.#wait.abort.abort();
    void this.#pump();
  }

  /** Ends every queued message, not sent, and refuses new ones. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#rejectQueued(() => stopped());
    this.#wait?.abort.abort();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#queue.size > 0 && !this.#isResting) {
      if (!(await this.#isServerThere())) continue;
      await microtasksToEnd();
      this.#sendQueued();
    }
    this.#isPumping = false;
  }

  /** Waits for a connection until the first deadline of a queued message. Never rejects. */
  async #isServerThere(): Promise<boolean> {
    const { client, clock } = this.#options;
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const job of this.#queue) deadlineMs = Math.min(deadlineMs, job.deadlineMs);
    const abort = new AbortController();
    this.#wait = { deadlineMs, abort };
    try {
      const timeoutMs = Math.max(0, Math.ceil(deadlineMs - clock.nowMs()));
      await client.connect(["commands"], { timeoutMs, signal: abort.signal });
      return true;
    } catch (error) {
      // A message with an earlier deadline has arrived, or the sender was stopped.
      if (abort.signal.aborted) return false;
      if (!ConnectionError.is(error)) this.#rejectQueued(() => error);
      // Timers may fire a little early, so the deadline counts as reached.
      else
        this.#rejectQueued(({ deadlineMs: own }) => (own <= Math.max(deadlineMs, clock.nowMs()) ? away(error) : null));
      return false;
    } finally {
      this.#wait = undefined;
    }
  }

  #sendQueued(): void {
    const jobs = [...this.#queue];
    this.#queue.clear();
    // All are written to the socket before this returns, so the commands keep the order of the calls.
    for (const group of groupForSending(jobs)) {
      if (group[0]?.message.idempotencyKey === undefined) void this.#sendTogether(group);
      else void this.#sendOnce(group[0]);
    }
  }

  async #sendTogether(jobs: readonly Job[]): Promise<void> {
    const { client, clock, stream, trim } = this.#options;
    const sentAtMs = clock.nowMs();
    const items = jobs.map(({ message }) => ({ stream, trim, fields: message.fields }));
    const outcomes: readonly unknown[] = await client.xaddMany(items).catch((error: unknown) => jobs.map(() => error));
    const failed: Failure[] = [];
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index];
      if (typeof outcome === "string") this.#confirm(job, { id: outcome, added: true });
      else failed.push({ job, error: outcome });
    }
    this.#report(jobs.length - failed.length, this.#endFailed(failed), sentAtMs);
  }

  async #sendOnce(job: Job): Promise<void> {
    const { client, clock, stream, trim, rememberKeysMs } = this.#options;
    const { fields, idempotencyKey = "" } = job.message;
    const sentAtMs = clock.nowMs();
    try {
      const result = await client.addOnce({ stream, trim, fields, idempotencyKey, rememberMs: rememberKeysMs });
      this.#confirm(job, result);
      this.#report(result.added ? 1 : 0, 0, sentAtMs);
    } catch (error) {
      this.#report(0, this.#endFailed([{ job, error }]), sentAtMs);
    }
  }

  /** Ends messages that were not confirmed, but queues those again that were certainly not sent → how many ended. */
  #endFailed(failures: readonly Failure[]): number {
    const again: Job[] = [];
    for (const { job, error } of failures) {
      const isUnsent = ConnectionError.is(error) && error.outcome === "not-sent";
      if (isUnsent && job.signal?.aborted) this.#refuse(job, job.signal.reason);
      else if (isUnsent && !this.#isStopped && job.deadlineMs > this.#options.clock.nowMs()) again.push(job);
      else this.#refuse(job, error);
    }
    if (again.length > 0) {
      this.#queue = new Set([...again, ...this.#queue].toSorted((left, right) => left.place - right.place));
      this.#rest();
    }
    return failures.length - again.length;
  }

  #confirm(job: Job, result: AddOnceResult): void {
    if (job.signal !== undefined) this.#aborts.delete(job, job.signal);
    job.ending.confirm(result);
  }

  #refuse(job: Job, reason: unknown): void {
    if (job.signal !== undefined) this.#aborts.delete(job, job.signal);
    job.ending.refuse(reason);
  }

  #rest(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#options.clock.setTimer(REST_MS, () => {
      this.#isResting = false;
      void this.#pump();
    });
  }

  /** Rejects every queued message for which there is a reason. */
  #rejectQueued(reasonFor: (job: Job) => unknown): void {
    for (const job of this.#queue) {
      const reason = reasonFor(job);
      if (reason === null) continue;
      this.#queue.delete(job);
      this.#refuse(job, reason);
    }
  }

  #report(added: number, failed: number, sentAtMs: number): void {
    if (added + failed === 0) return;
    this.#options.notify({ type: "added", added, failed, elapsedMs: this.#options.clock.nowMs() - sentAtMs });
  }
}

/** Waits a few microtasks, for callers such as a source that is read item by item. */
function microtasksToEnd(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Neighbours without an idempotency key are sent together, up to a limit; each message with a key is sent by itself. */
function groupForSending(jobs: readonly Job[]): readonly (readonly [Job, ...Job[]])[] {
  const groups: [Job, ...Job[]][] = [];
  let open: [Job, ...Job[]] | undefined;
  for (const job of jobs) {
    if (job.message.idempotencyKey !== undefined) {
      groups.push([job]);
      open = undefined;
    } else if (open === undefined || open.length === TOGETHER) {
      open = [job];
      groups.push(open);
    } else open.push(job);
  }
  return groups;
}

function away(cause: RedisBatchError): ConnectionError {
  return new ConnectionError(
    `add: not sent, because there was no connection in time; it is safe to add it again. ${cause.message}`,
    {
      outcome: "not-sent",
      cause,
    },
  );
}

function stopped(): ConnectionError {
  return new ConnectionError("add: not sent, because the producer was closed before there was a connection", {
    outcome: "not-sent",
  });
}
