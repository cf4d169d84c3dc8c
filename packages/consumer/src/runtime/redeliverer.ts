/** The loop that reads deferred messages again when they are due, and no sooner than somebody can use them. */
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  type DeliveredEntry,
  type EntryId,
  NoGroupError,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import { decideRedeliverySize } from "../decisions/fetch-size.ts";
import type { ConsumerEvent } from "../events.ts";
import type { Message } from "../message.ts";
import { Bell } from "./bell.ts";
import type { Collector } from "./collector.ts";
import type { Custody } from "./custody.ts";
import type { Deferred } from "./due-queue.ts";
import { describeTrouble } from "./trouble.ts";

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 5_000 };

export interface RedelivererContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly batchSize: number;
    readonly maxBytes: number;
    readonly retryShare: number;
  };
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly collector: Collector<Value>;
  readonly clock: Clock;
  readonly random: Random;
  /** The largest batch that a message on its n-th delivery may be part of. */
  readonly largestBatch: (deliveries: number) => number;
  /** Whether a message on its n-th delivery is alone among all that are isolated. */
  readonly isIsolated: (deliveries: number) => boolean;
  /** Whether a batch at work has a message of which this holds. */
  readonly isAtWork: (holds: (message: Message<Value>) => boolean) => boolean;
  /** The message, or none when it cannot be offered. */
  readonly admit: (
    entry: DeliveredEntry,
    times: { readonly heldSinceMs: number; readonly ripeAtMs: number },
  ) => Message<Value> | undefined;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can mend. */
  readonly fail: (error: unknown) => void;
}

export class Redeliverer<Value> {
  readonly #context: RedelivererContext<Value>;
  readonly #bell: Bell;
  #isStopped = false;
  #failures = 0;
  #loop: Promise<void> | undefined;
  readonly #resting: (() => void)[] = [];

  constructor(context: RedelivererContext<Value>) {
    this.#context = context;
    this.#bell = new Bell(context.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something changed: a message was put off, or there is room for more. */
  poke(): void {
    this.#bell.ring();
  }

  /** Resolves when all that is due was read again, as far as there is room for it and the server answers. */
  catchUp(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isStopped) return resolve();
      this.#resting.push(resolve);
      this.poke();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.poke();
    await this.#loop;
    this.#rest();
  }

  async #run(): Promise<void> {
    const { clock, custody } = this.#context;
    while (!this.#isStopped) {
      const next = custody.nextDue();
      if (next === undefined || !this.#room()(next, 0)) {
        this.#rest();
        await this.#bell.rest(null);
      } else if (next.dueAtMs > clock.nowMs()) {
        this.#rest();
        await this.#bell.rest(next.dueAtMs - clock.nowMs());
      } else if (!(await this.#redeliver())) {
        return;
      }
    }
  }

  #rest(): void {
    for (const resolve of this.#resting.splice(0)) resolve();
  }

  /**
   * Says of one message after the other whether it is read now, beside those taken before it. One batch ahead at most:
   * payloads of messages that nobody can take yet would only fill the memory. Of messages that are isolated, only what
   * the next batch takes, and only when somebody waits for it: reading counts as a delivery, and when the process dies
   * of one of them, those that were not offered shall not be closer to the dead letters. For the same reason, of those
   * that are on their last half of deliveries, each waits for the one before it, whatever the concurrency.
   */
  #room(): (next: Deferred, taken: number) => boolean {
    const { collector, policy, largestBatch, isIsolated } = this.#context;
    const { batchSize, retryShare } = policy;
    const { messages: buffered, bytes: bufferedBytes } = collector.redelivered;
    const mayIsolate = buffered === 0 && (collector.wanted > 0 || this.#resting.length > 0);
    const share = collector.fresh.messages > 0 ? retryShare : 1;
    const room = decideRedeliverySize({ buffered, bufferedBytes, meanBytes: collector.meanBytes }, policy);
    let size = batchSize;
    return ({ deliveries }, taken) => {
      size = Math.min(size, largestBatch(deliveries + 1));
      const mustBeAlone = isIsolated(deliveries + 1);
      if (mustBeAlone && this.#isOneAloneAtWork()) return false;
      if (size === batchSize && !mustBeAlone) return taken < room;
      return mayIsolate && taken < Math.min(room, Math.max(1, Math.floor(size * share)));
    };
  }

  #isOneAloneAtWork(): boolean {
    const { isAtWork, isIsolated } = this.#context;
    return isAtWork(({ deliveries, state }) => state === "offered" && isIsolated(deliveries));
  }

  /** Reads what is due → whether the loop goes on. */
  async #redeliver(): Promise<boolean> {
    const { client, policy, custody, collector, clock, report } = this.#context;
    const due = custody.takeDue(clock.nowMs(), this.#room());
    const messages = due.map(({ id, deliveries }) => ({ id, deliveries: deliveries + 1 }));
    const heldSinceMs = clock.nowMs();
    try {
      const { stream, group, name } = policy;
      const { entries, vanished } = await client.recoverOwn({ stream, group, consumer: name, messages });
      this.#failures = 0;
      // Some may have been acknowledged while the reply was on its way.
      const open = new Map(
        due.filter((deferred) => custody.isStill(deferred)).map((deferred) => [deferred.id, deferred]),
      );
      const readable: Message<Value>[] = [];
      for (const entry of entries) {
        const deferred = open.get(entry.id);
        const message = deferred && this.#context.admit(entry, { heldSinceMs, ripeAtMs: deferred.ripeAtMs });
        if (message !== undefined) readable.push(message);
        open.delete(entry.id);
      }
      this.#dismissMissing([...open.keys()], vanished);
      if (readable.length === 0) return true;
      report({ type: "redelivered", messages: readable.length });
      collector.addRedelivered(readable);
      return true;
    } catch (error) {
      return this.#survives(error, due);
    }
  }

  #dismissMissing(missing: readonly EntryId[], vanished: readonly EntryId[]): void {
    const { custody, report } = this.#context;
    const gone = new Set(vanished);
    const notOwned = missing.filter((id) => !gone.has(id));
    for (const id of missing) custody.dismiss(id);
    if (vanished.length > 0) report({ type: "vanished", ids: vanished });
    if (notOwned.length > 0) report({ type: "lost", ids: notOwned, why: "not-owned" });
  }

  async #survives(error: unknown, due: Parameters<Custody<Value>["putBack"]>[0]): Promise<boolean> {
    const { custody, clock, random, report, fail } = this.#context;
    const retryInMs = backoffDelayMs(++this.#failures, RETRY, random);
    custody.putBack(due, clock.nowMs() + retryInMs);
    if (this.#isStopped) return false;
    // The reader creates a vanished group anew; then these messages turn out to be nobody's.
    if (!NoGroupError.is(error) && !(RedisBatchError.is(error) && error.retryable)) {
      fail(error);
      return false;
    }
    report({ type: "readFailed", retryInMs, error: describeTrouble(error) });
    return true;
  }
}
