/** The loop that reads the payloads of messages that were put off, when they are due, and no sooner than somebody can use them. */
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  ConnectionError,
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
import { Bell } from "../runtime/bell.ts";
import { describeTrouble } from "../runtime/trouble.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { PutOff } from "../scheduling/put-off-queue.ts";
import type { ReplySize } from "./reply-size.ts";

const RETRY: BackoffPolicy = { baseMs: 100, capMs: 5_000 };

export interface RedelivererContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly batchSize: number;
    readonly maxBytes: number;
  };
  readonly client: StreamClient;
  readonly held: HeldMessages<Value>;
  readonly replySize: ReplySize;
  readonly clock: Clock;
  readonly random: Random;
  /** The message, or none when it cannot be offered. */
  readonly admit: (
    entry: DeliveredEntry,
    times: { readonly heldSinceMs: number; readonly ripeAtMs: number; readonly isSuspect: boolean },
  ) => Message<Value> | undefined;
  readonly report: (event: ConsumerEvent) => void;
  /** Called when more can be offered than before. */
  readonly onMore: () => void;
  /** Called with an error that no repetition can help. */
  readonly fail: (error: unknown) => void;
}

export class Redeliverer<Value> {
  readonly #context: RedelivererContext<Value>;
  readonly #bell: Bell;
  #isStopped = false;
  #isReading = false;
  #failures = 0;
  #loop: Promise<void> | undefined;

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

  /** Whether payloads are being read, or will be at once. */
  areComing(): boolean {
    if (this.#isStopped || this.#loop === undefined) return false;
    if (this.#isReading) return true;
    const { held, clock } = this.#context;
    held.lineUpIds(clock.nowMs());
    return held.waitingForPayload.due && this.#room() > 0;
  }

  /**
   * Reads the payload of the suspect that is first in line. Only when it is to be offered next: reading counts as a
   * delivery, and when the process dies of one suspect, the others must not be closer to the dead letters for it.
   */
  async readSuspect(): Promise<void> {
    const [next] = this.#context.held.takeIds("suspect", 1);
    if (next !== undefined) await this.#readAgain([next]);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.poke();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, held, onMore } = this.#context;
    while (!this.#isStopped) {
      if (held.lineUpIds(clock.nowMs())) onMore();
      const room = held.waitingForPayload.due ? this.#room() : 0;
      if (room > 0) {
        this.#isReading = true;
        await this.#readAgain(held.takeIds("due", room));
        this.#isReading = false;
        onMore();
        continue;
      }
      const nextAtMs = held.nextDueAtMs;
      await this.#bell.rest(nextAtMs === null ? null : Math.max(nextAtMs - clock.nowMs(), 0));
    }
  }

  /** One batch ahead at most: payloads of messages that nobody can take yet would only fill the memory. */
  #room(): number {
    const { held, policy, replySize } = this.#context;
    const { messages: buffered, bytes: bufferedBytes } = held.due;
    const ahead = { buffered, bufferedBytes, meanBytes: replySize.meanBytes };
    return Math.min(decideRedeliverySize(ahead, policy), replySize.limit);
  }

  async #readAgain(putOffs: readonly PutOff[]): Promise<void> {
    const { client, policy, held, clock, report, replySize } = this.#context;
    const heldSinceMs = clock.nowMs();
    try {
      const { stream, group, name } = policy;
      // Each count is what it is to be, and not one more: a reply that was lost on the way has offered nothing.
      const messages = putOffs.map(({ id, deliveries }) => ({ id, deliveries: deliveries + 1 }));
      const { entries, vanished } = await client.recoverOwn({ stream, group, consumer: name, messages });
      this.#failures = 0;
      // Some may have been acknowledged while the reply was on its way.
      const open = new Map(putOffs.filter((one) => held.isStill(one)).map((one) => [one.id, one]));
      const again: Message<Value>[] = [];
      for (const entry of entries) {
        const before = open.get(entry.id);
        const message = before && this.#context.admit(entry, { ...before, heldSinceMs });
        if (message !== undefined) again.push(message);
        open.delete(entry.id);
      }
      replySize.arrived(
        again.length,
        again.reduce((bytes, message) => bytes + message.bytes, 0),
      );
      this.#dismissMissing([...open.keys()], vanished);
      if (again.length === 0) return;
      report({ type: "redelivered", messages: again.length });
      held.lineUpDue(again);
    } catch (error) {
      this.#putBack(error, putOffs);
    }
  }

  #dismissMissing(missing: readonly EntryId[], vanished: readonly EntryId[]): void {
    const { held, report } = this.#context;
    const gone = new Set(vanished);
    const notOwned = missing.filter((id) => !gone.has(id));
    for (const id of missing) held.dismiss(id);
    if (vanished.length > 0) report({ type: "vanished", ids: vanished });
    if (notOwned.length > 0) report({ type: "lost", ids: notOwned, why: "not-owned" });
  }

  #putBack(error: unknown, putOffs: readonly PutOff[]): void {
    const { held, clock, random, report, fail, replySize } = this.#context;
    const retryInMs = backoffDelayMs(++this.#failures, RETRY, random);
    if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(putOffs.length);
    held.putBack(putOffs, clock.nowMs() + retryInMs);
    if (this.#isStopped) return;
    // The reader creates a vanished group again; then these messages turn out to be nobody's.
    if (!NoGroupError.is(error) && !(RedisBatchError.is(error) && error.retryable)) {
      this.#isStopped = true;
      return fail(error);
    }
    report({ type: "readFailed", retryInMs, error: describeTrouble(error) });
  }
}
