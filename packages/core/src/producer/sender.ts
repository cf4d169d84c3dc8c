/**
 * Sends messages in order, over a connection that may be lost and come back.
 *
 * | a message is | until                                                                  | then                     |
 * |--------------|------------------------------------------------------------------------|--------------------------|
 * | queued       | there is a connection                                                  | sent                     |
 * |              | its deadline, its caller's abort, a refused login, or `stop()`         | ended, not sent          |
 * | sent         | the server's reply                                                     | ended                    |
 * |              | the connection fails                                                   | ended, outcome unknown   |
 * |              | it turns out that it was not written to a socket, or that no server    | queued again, same place |
 * |              | takes the stream's messages now (`isAway`)                             |                          |
 *
 * After such a failure one message is sent as a probe, at growing intervals, until one gets through: of a Cluster some
 * master may be away while the connection is there. Messages with an idempotency key do not wait here for a server that
 * refuses them, because others need not wait with them: `addUntilConfirmed` repeats them.
 *
 * With `waitForReplicas`, messages that were sent together also end together: when the replicas have answered for all of
 * them. Meanwhile others are queued, because WAIT holds up whatever comes behind it on its connection.
 */

import { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
import { ConnectionError, PermissionError } from "../errors/errors.ts";
import { isAway } from "../errors/is-away.ts";
import type { EntryId } from "../names/entry-id.ts";
import { type Clock, pause } from "../service/clock.ts";
import type { Random } from "../service/random.ts";
import type { StreamClient, WaitForReplicas } from "../stream-client.ts";
import type { AddOnceResult } from "../wire/atomic/add-once.ts";
import type { Argument } from "../wire/command.ts";
import type { WaitOptions } from "../wire/wait.ts";
import type { Trim } from "../wire/xadd.ts";
import type { ProducerEvent } from "./events.ts";
import { notAdded } from "./not-added.ts";
import { decideDoubt } from "./replica-doubt.ts";
import { SharedAborts } from "./shared-aborts.ts";

export interface OutgoingMessage {
  readonly fields: readonly Argument[];
  readonly idempotencyKey: string | undefined;
}

export interface SenderOptions {
  readonly client: Pick<StreamClient, "connect" | "xaddMany" | "addOnce" | "followAdds" | "assertMayWait">;
  readonly clock: Clock;
  readonly random: Random;
  readonly stream: string;
  readonly trim: Trim | undefined;
  readonly rememberKeysMs: number;
  readonly waitForReplicas: WaitOptions | undefined;
  readonly notify: (event: ProducerEvent) => void;
  /** What must be true before anything is sent; asked until it is. */
  readonly beforeFirst: (() => Promise<void>) | undefined;
  /** Whether messages that were sent together must all have ended before others are sent: what is sent again then comes first. */
  readonly isOneAtATime?: boolean | undefined;
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

/** The replies to messages that were sent together. */
interface Part {
  readonly sentAtMs: number;
  readonly added: readonly { readonly job: Job; readonly result: AddOnceResult }[];
  readonly failed: readonly Failure[];
}

/** The error of a message that was added, but may be lost again. */
type Doubt = (id: EntryId) => ConnectionError;

/**
 * How long to wait before the next probe. Short at first: a connection that counts as ready but cannot be written to is
 * about to report its end.
 */
const PROBING: BackoffPolicy = { baseMs: 10, capMs: 500 };

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
  #isStopped = false;
  /** How often in a row messages could not be sent. Above 0: only probes are sent. */
  #failures = 0;
  #lastFailure: unknown;
  /** Whether the server lets us wait for replicas. */
  #mayWait = false;
  #isPrepared = false;
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
    while (this.#queue.size > 0) {
      if (this.#failures > 0) await this.#untilDeadline(backoffDelayMs(this.#failures, PROBING, this.#options.random));
      if (this.#queue.size === 0) break;
      if (!(await this.#isServerThere())) continue;
      const { waitForReplicas, isOneAtATime = false } = this.#options;
      if (!(await this.#isReady())) continue;
      if (waitForReplicas !== undefined && !(await this.#isWaitAllowed())) continue;
      await microtasksToEnd();
      const why = waitForReplicas === undefined ? "the server did not answer" : "replicas did not confirm";
      if (this.#failures > 0) await this.#probe();
      else if (waitForReplicas === undefined && !isOneAtATime) void this.#sendQueued();
      else await this.#watch(this.#sendQueued(), () => notAdded(undefined, `${why} those before it`));
    }
    this.#isPumping = false;
  }

  get #firstDeadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const job of this.#queue) deadlineMs = Math.min(deadlineMs, job.deadlineMs);
    return deadlineMs;
  }

  /** Waits for a connection until the first deadline of a queued message. Never rejects. */
  async #isServerThere(): Promise<boolean> {
    const { client, clock } = this.#options;
    const deadlineMs = this.#firstDeadlineMs;
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
      else this.#rejectOverdue(() => notAdded(error), deadlineMs);
      return false;
    } finally {
      this.#wait = undefined;
    }
  }

  /** Waits that long, or until the first deadline of a queued message. */
  async #untilDeadline(mostMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = this.#firstDeadlineMs;
    const abort = new AbortController();
    this.#wait = { deadlineMs, abort };
    await pause(clock, Math.min(mostMs, Math.max(0, Math.ceil(deadlineMs - clock.nowMs()))), abort.signal);
    this.#wait = undefined;
  }

  /** Whether messages may be sent at all. */
  async #isReady(): Promise<boolean> {
    const { beforeFirst } = this.#options;
    if (this.#isPrepared || beforeFirst === undefined) return true;
    try {
      await beforeFirst();
      this.#isPrepared = true;
    } catch (error) {
      if (!isAway(error) && !ConnectionError.is(error)) this.#rejectQueued(() => error);
      else {
        this.#failures = Math.max(this.#failures, 1);
        this.#lastFailure = error;
        this.#rejectOverdue(() => notAdded(error));
      }
    }
    return this.#isPrepared;
  }

  /** Asks before anything is added: otherwise each add would be there, and in doubt. */
  async #isWaitAllowed(): Promise<boolean> {
    if (this.#mayWait) return true;
    try {
      await this.#options.client.assertMayWait();
      this.#mayWait = true;
    } catch (error) {
      // Adds will meet any other error as well.
      if (!PermissionError.is(error)) return true;
      this.#rejectQueued(() => error);
    }
    return this.#mayWait;
  }

  #sendQueued(): Promise<unknown> {
    const jobs = [...this.#queue];
    this.#queue.clear();
    return this.#sendAll(jobs);
  }

  /** Sends the first message. If it cannot be sent either, those whose time is over end; those behind a hanging one too. */
  async #probe(): Promise<void> {
    const [job] = this.#queue;
    if (job === undefined) return;
    this.#queue.delete(job);
    const failures = this.#failures;
    await this.#watch(this.#sendAll([job]), () => notAdded(this.#lastFailure));
    if (this.#failures === 0) return;
    this.#failures = failures + 1;
    this.#rejectOverdue(() => notAdded(this.#lastFailure));
  }

  /** Waits for messages that are being sent, and ends those behind them whose time is over, with this error. */
  async #watch(sending: Promise<unknown>, error: () => ConnectionError): Promise<void> {
    const sent = { isOver: false };
    const end = async (): Promise<void> => {
      await sending;
      sent.isOver = true;
      this.#wait?.abort.abort();
    };
    void end();
    while (!sent.isOver) {
      await this.#untilDeadline(Number.POSITIVE_INFINITY);
      if (!sent.isOver) this.#rejectOverdue(error);
    }
  }

  /** Sends messages → when each of them has ended, or is queued again. */
  #sendAll(jobs: readonly Job[]): Promise<unknown> {
    const { client, waitForReplicas } = this.#options;
    const replicas = waitForReplicas === undefined ? undefined : client.followAdds();
    // All are written to the socket before this returns, so the commands keep the order of the calls.
    const parts = groupForSending(jobs).map((group) =>
      group[0].message.idempotencyKey === undefined ? this.#sendTogether(group) : this.#sendOnce(group[0]),
    );
    if (waitForReplicas !== undefined && replicas !== undefined) {
      return this.#endAfterReplicas(parts, replicas, waitForReplicas);
    }
    return Promise.all(parts.map(async (part) => this.#endPart(await part)));
  }

  async #endAfterReplicas(
    sent: readonly Promise<Part>[],
    waitForReplicas: WaitForReplicas,
    options: WaitOptions,
  ): Promise<void> {
    const parts = await Promise.all(sent);
    const isAnyAdded = parts.some(({ added }) => added.length > 0);
    const doubt = isAnyAdded ? await this.#doubt(waitForReplicas, options) : null;
    for (const part of parts) this.#endPart(part, doubt);
  }

  /** Why messages that were added may still be lost; `null` if enough replicas have them. */
  async #doubt(waitForReplicas: WaitForReplicas, options: WaitOptions): Promise<Doubt | null> {
    try {
      return decideDoubt(options, await waitForReplicas(options));
    } catch (error) {
      if (PermissionError.is(error)) this.#mayWait = false;
      return decideDoubt(options, error);
    }
  }

  async #sendTogether(jobs: readonly Job[]): Promise<Part> {
    const { client, clock, stream, trim } = this.#options;
    const sentAtMs = clock.nowMs();
    const items = jobs.map(({ message }) => ({ stream, trim, fields: message.fields }));
    const outcomes: readonly unknown[] = await client.xaddMany(items).catch((error: unknown) => jobs.map(() => error));
    const added: { job: Job; result: AddOnceResult }[] = [];
    const failed: Failure[] = [];
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index];
      if (typeof outcome === "string") added.push({ job, result: { id: outcome, added: true } });
      else failed.push({ job, error: outcome });
    }
    return { sentAtMs, added, failed };
  }

  async #sendOnce(job: Job): Promise<Part> {
    const { client, clock, stream, trim, rememberKeysMs } = this.#options;
    const { fields, idempotencyKey = "" } = job.message;
    const sentAtMs = clock.nowMs();
    try {
      const result = await client.addOnce({ stream, trim, fields, idempotencyKey, rememberMs: rememberKeysMs });
      return { sentAtMs, added: [{ job, result }], failed: [] };
    } catch (error) {
      return { sentAtMs, added: [], failed: [{ job, error }] };
    }
  }

  #endPart({ sentAtMs, added, failed }: Part, doubt: Doubt | null = null): void {
    // A message that was added got through, even if it ends in doubt.
    if (added.length > 0) this.#failures = 0;
    let confirmed = 0;
    for (const { job, result } of added) {
      if (doubt !== null) this.#refuse(job, doubt(result.id));
      else {
        this.#confirm(job, result);
        if (result.added) confirmed++;
      }
    }
    const inDoubt = doubt === null ? 0 : added.length;
    this.#report(confirmed, inDoubt + this.#endFailed(failed), sentAtMs);
  }

  /** Ends messages that were not confirmed, but queues those again that were certainly not sent → how many ended. */
  #endFailed(failures: readonly Failure[]): number {
    const again: Job[] = [];
    for (const { job, error } of failures) {
      const isKeyed = job.message.idempotencyKey !== undefined;
      const isRefused = isAway(error) && !isKeyed;
      const isUnsent = isRefused || (ConnectionError.is(error) && error.outcome === "not-sent");
      if (!isUnsent) this.#failures = 0;
      else {
        this.#failures = Math.max(this.#failures, 1);
        this.#lastFailure = error;
      }
      if (isUnsent && job.signal?.aborted) this.#refuse(job, job.signal.reason);
      else if (isUnsent && !this.#isStopped && job.deadlineMs > this.#options.clock.nowMs()) again.push(job);
      else this.#refuse(job, isRefused ? notAdded(error) : error);
    }
    if (again.length > 0) {
      this.#queue = new Set([...again, ...this.#queue].toSorted((left, right) => left.place - right.place));
      void this.#pump();
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

  /** Rejects every queued message for which there is a reason. */
  #rejectQueued(reasonFor: (job: Job) => unknown): void {
    for (const job of this.#queue) {
      const reason = reasonFor(job);
      if (reason === null) continue;
      this.#queue.delete(job);
      this.#refuse(job, reason);
    }
  }

  /** Rejects every queued message that may not wait any longer. */
  #rejectOverdue(error: () => ConnectionError, nowMs = this.#options.clock.nowMs()): void {
    const overMs = Math.max(nowMs, this.#options.clock.nowMs());
    this.#rejectQueued(({ deadlineMs }) => (deadlineMs <= overMs ? error() : null));
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

function stopped(): ConnectionError {
  return new ConnectionError("add: not sent, because the producer was closed before there was a connection", {
    outcome: "not-sent",
  });
}
