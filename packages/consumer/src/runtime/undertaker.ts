/** Moves messages into the group's dead letters, whole and with their history. */
import {
  type BackoffPolicy,
  type Clock,
  CommandError,
  NoGroupError,
  type Random,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent, DeadLetterReason } from "../events.ts";
import type { Message } from "../message.ts";
import type { Custody } from "./custody.ts";
import { Outbox } from "./outbox.ts";
import { stillPending } from "./still-pending.ts";
import { describeTrouble } from "./trouble.ts";

// Each burial copies a payload inside the server: a few at a time keep it answering others in between.
const AT_ONCE = 20;
const NO_GROUP = { kind: "not-owned" } as const;

/** A message on its way to the dead letters; `message` is there when the application was offered it. */
export interface Burial<Value> {
  readonly id: string;
  readonly message: Message<Value> | undefined;
  readonly why: DeadLetterReason;
  /** What the application said, or the error's text; `""` where there is none. */
  readonly text: string;
}

export interface UndertakerContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly retry: BackoffPolicy;
  };
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can mend. */
  readonly fail: (error: unknown) => void;
}

export class Undertaker<Value> {
  readonly #context: UndertakerContext<Value>;
  readonly #outbox: Outbox<Burial<Value>>;
  readonly #timers = new Set<() => void>();

  constructor(context: UndertakerContext<Value>) {
    const { clock, random, report, fail } = context;
    this.#context = context;
    this.#outbox = new Outbox({
      clock,
      random,
      limit: AT_ONCE,
      deliver: async (burials, mayBeDone) => {
        // One by one: when one fails, those before it are over and are not repeated.
        for (const burial of burials) if (this.#isOpen(burial)) await this.#bury(burial, mayBeDone);
      },
      onRetry: (burials, retryInMs, error) =>
        report({ type: "buryFailed", messages: burials.length, retryInMs, error: describeTrouble(error) }),
      onFailure: (burials, error) => {
        // Nothing is lost: the messages stay pending, and come again when the cause is mended.
        for (const { message } of burials) if (message?.state === "burying") message.state = "offered";
        fail(error);
      },
    });
  }

  /** Messages on their way. */
  get pending(): number {
    return this.#outbox.pending;
  }

  add(burial: Burial<Value>): void {
    if (burial.message !== undefined) burial.message.state = "burying";
    this.#outbox.add(burial);
  }

  /** Resolves when none of these messages is on its way any more. */
  whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    return this.#outbox.when(() => messages.every((message) => message.state !== "burying"));
  }

  /** Resolves when none is on its way. */
  whenIdle(): Promise<void> {
    return this.#outbox.when(() => this.#outbox.pending === 0);
  }

  /** Gives up on what was not answered. */
  stop(): void {
    this.#outbox.stop();
    for (const cancel of this.#timers) cancel();
  }

  #leavePending({ id, message }: Burial<Value>, error: CommandError): void {
    const { custody, policy, clock, report } = this.#context;
    const retryInMs = policy.retry.capMs;
    const dueAtMs = clock.nowMs() + retryInMs;
    if (message === undefined) {
      // Held until then; after that it is found pending, and not held, like any other that nobody has seen.
      const cancel = clock.setTimer(retryInMs, () => {
        this.#timers.delete(cancel);
        custody.dismiss(id);
      });
      this.#timers.add(cancel);
    } else {
      message.state = "returned";
      custody.putOff(message, { dueAtMs, ripeAtMs: dueAtMs });
    }
    report({ type: "buryFailed", messages: 1, retryInMs, error: describeTrouble(error) });
  }

  #isOpen({ id, message }: Burial<Value>): boolean {
    return message === undefined ? this.#context.custody.holds(id) : message.state === "burying";
  }

  async #bury(burial: Burial<Value>, mayBeDone: boolean): Promise<void> {
    const { client, custody, policy, report } = this.#context;
    const { id, message, why, text } = burial;
    const { stream, group, name } = policy;
    const outcome = await client
      .bury({ stream, group, consumer: name, id, reason: why, error: text })
      .catch((error: unknown) => {
        // The reader creates the group anew; nothing of it is anybody's.
        if (NoGroupError.is(error)) return NO_GROUP;
        // This one message cannot be moved: it has more fields than a script can take. The others can.
        if (!CommandError.is(error)) throw error;
        this.#leavePending(burial, error);
        return undefined;
      });
    if (outcome === undefined) return;
    // After a reply that was lost, the first attempt may have done it.
    const isLost =
      outcome.kind === "not-owned" &&
      (outcome === NO_GROUP || !mayBeDone || (await stillPending(client, policy, [id])).has(id));
    custody.dismiss(id);
    if (outcome.kind === "vanished") {
      if (message !== undefined) message.state = "buried";
      return report({ type: "vanished", ids: [id] });
    }
    if (isLost) {
      if (message !== undefined) message.state = "lost";
      return report({ type: "lost", ids: [id], why: "not-owned" });
    }
    if (message !== undefined) message.state = "buried";
    report({ type: "deadLettered", id, why });
  }
}
