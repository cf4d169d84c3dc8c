/**
 * Sends acknowledgements, many in one command. What is recorded in one turn of the event loop goes out together; while
 * a command is on its way, the next one collects.
 */
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  ConnectionError,
  type EntryId,
  pause,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import type { Message } from "../message.ts";
import type { Custody } from "./custody.ts";
import { describeTrouble } from "./trouble.ts";

// Lua's unpack and the server's own loop both stay far from their limits with this many ids.
const IDS_PER_COMMAND = 1_000;
const RETRY: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

export interface AcknowledgerContext<Value> {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** Called with an error that no repetition can mend. */
  readonly fail: (error: unknown) => void;
}

export class Acknowledger<Value> {
  readonly #context: AcknowledgerContext<Value>;
  #queue: Message<Value>[] = [];
  #isSending = false;
  #stopped = new AbortController();
  #unsent = 0;
  readonly #waiting = new Set<() => void>();

  constructor(context: AcknowledgerContext<Value>) {
    this.#context = context;
  }

  /** Acknowledgements that the server has not answered yet. */
  get pending(): number {
    return this.#unsent;
  }

  add(message: Message<Value>): void {
    message.state = "acking";
    this.#unsent++;
    this.#queue.push(message);
    if (!this.#isSending) {
      this.#isSending = true;
      queueMicrotask(() => void this.#send());
    }
  }

  /** Resolves when none of these messages waits for the server's answer any more. */
  async whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    while (messages.some((message) => message.state === "acking") && !this.#stopped.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves when every acknowledgement was answered. */
  async whenIdle(): Promise<void> {
    while (this.#unsent > 0 && !this.#stopped.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Gives up on what was not answered. */
  stop(): void {
    this.#stopped.abort();
    this.#wake();
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped.signal.aborted) {
      const messages = this.#queue.splice(0, IDS_PER_COMMAND);
      await this.#deliver(messages);
      this.#unsent -= messages.length;
      this.#wake();
    }
    this.#isSending = false;
  }

  async #deliver(messages: readonly Message<Value>[]): Promise<void> {
    const { clock, random, report } = this.#context;
    let outcomeUnknown = false;
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        return await this.#acknowledge(messages, outcomeUnknown);
      } catch (error) {
        if (!RedisBatchError.is(error) || !error.retryable) {
          // Nothing is lost: the messages stay pending, and come again when the cause is mended.
          for (const message of messages) message.state = "offered";
          return this.#context.fail(error);
        }
        outcomeUnknown ||= ConnectionError.is(error) && error.outcome === "unknown";
        const retryInMs = backoffDelayMs(attempt, RETRY, random);
        report({ type: "ackFailed", messages: messages.length, retryInMs, error: describeTrouble(error) });
        await pause(clock, retryInMs, this.#stopped.signal);
      }
    }
  }

  async #acknowledge(messages: readonly Message<Value>[], outcomeUnknown: boolean): Promise<void> {
    const { client, stream, group, consumer, report } = this.#context;
    const ids = messages.map((message) => message.id);
    // Read over the connection that still stands: nothing has happened since that could have taken them from us.
    const isCertain = messages.every((message) => message.epoch === client.readerEpoch);
    if (isCertain && !outcomeUnknown) {
      const acknowledged = await client.xack({ stream, group, ids });
      this.#conclude(messages, undefined);
      // Somebody else acknowledged them, or the pending list is gone: either way they are pending no more.
      if (acknowledged < ids.length) report({ type: "ackShort", sent: ids.length, acknowledged });
      return;
    }
    const { notOwned } = await client.ackOwned({ stream, group, consumer, ids });
    // After a reply that was lost, "not owned" most likely means that the first attempt did it.
    this.#conclude(messages, outcomeUnknown ? undefined : new Set(notOwned));
  }

  #conclude(messages: readonly Message<Value>[], notOwned: ReadonlySet<EntryId> | undefined): void {
    const { custody, report } = this.#context;
    const lost: EntryId[] = [];
    for (const message of messages) {
      custody.dismiss(message.id);
      if (notOwned?.has(message.id)) {
        message.state = "lost";
        lost.push(message.id);
      } else {
        message.state = "acknowledged";
      }
    }
    if (lost.length < messages.length) report({ type: "acknowledged", messages: messages.length - lost.length });
    if (lost.length > 0) report({ type: "lost", ids: lost, why: "not-owned" });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
