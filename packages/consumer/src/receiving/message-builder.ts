/** Takes in delivered entries: turns them into messages, holds them, and queues those that can be offered. */

import { type EntryId, PayloadError } from "@redis-batch/core";
import { type DeliveredEntry, KEY_FIELD, type StreamEntry } from "@redis-batch/core/internal/messages";
import { isLastChance } from "../decisions/redelivery.ts";
import { keyOf } from "../key-of.ts";
import type { LeaseRenewer } from "../liveness/lease-renewer.ts";
import { type Arrival, type Message, type MessageKeeper, ReadChunk } from "../message.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";

export interface MessageBuilderParts<Value> {
  readonly leases: LeaseRenewer<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  /** Who takes the outcomes of the messages. */
  readonly outcomes: MessageKeeper<Value>;
}

// Ten messages in a row without a key are hardly a coincidence.
const SURELY_WITHOUT = 10;

/** Looks whether the first messages have something. */
class FirstMessages {
  /** How many had not; `null` once one had, or it was told. */
  #without: number | null = 0;

  /** → how many have come, if none of them had it, and they are enough to say so; once. */
  allWithout<Value>(messages: readonly Message<Value>[], has: (message: Message<Value>) => boolean): number | null {
    if (this.#without === null) return null;
    const without = messages.some(has) ? null : this.#without + messages.length;
    const isSure = without !== null && without >= SURELY_WITHOUT;
    this.#without = isSure ? null : without;
    return isSure ? without : null;
  }
}

export class MessageBuilder<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: MessageBuilderParts<Value>;
  readonly #keys = new FirstMessages();
  readonly #partitionKeys = new FirstMessages();

  constructor(scope: Scope<Value>, parts: MessageBuilderParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  /** Takes in the entries of a read that was sent at `sinceMs`, and queues those that can be offered. */
  admit(entries: readonly StreamEntry[], sinceMs: number): void {
    const { client, held, clock, policy } = this.#scope;
    const { leases, outcomes } = this.#parts;
    leases.delivered(sinceMs);
    const nowMs = clock.nowMs();
    const times = { arrivedAtMs: nowMs, heldSinceMs: sinceMs, ripeAtMs: nowMs };
    const arrival: Arrival = { deliveries: 1, ...times, epoch: client.readerEpoch(policy.stream) };
    const chunk = new ReadChunk(entries, arrival, outcomes);
    held.admitRead(chunk);
    if (!this.#isReadEarly) return held.lineUpRead(chunk);
    const readable = chunk.messages.filter((message) => this.#isReadable(message));
    held.lineUpFresh(readable);
    if (policy.orderBy !== undefined) this.#countKeys(readable);
  }

  /** Reports it if `orderBy` probably has a typo, or if messages of one key are probably in different partitions. */
  #countKeys(messages: readonly Message<Value>[]): void {
    const { policy, report } = this.#scope;
    const keyless = this.#keys.allWithout(messages, ({ key }) => key !== undefined);
    if (keyless !== null) report({ type: "keysMissing", messages: keyless });
    if (policy.partitions === undefined) return;
    const strays = this.#partitionKeys.allWithout(messages, (message) => message.field(KEY_FIELD) !== undefined);
    if (strays !== null) report({ type: "partitionKeysMissing", messages: strays });
  }

  /** Takes in a claimed or redelivered entry → the message; `undefined` if it cannot be offered. */
  readmit(
    { deliveries, ...entry }: DeliveredEntry,
    { isSuspect, ...times }: Pick<Arrival, "heldSinceMs" | "ripeAtMs"> & { readonly isSuspect: boolean },
  ): Message<Value> | undefined {
    const { policy, clock, client, held } = this.#scope;
    const arrival: Arrival = {
      deliveries,
      arrivedAtMs: clock.nowMs(),
      ...times,
      epoch: client.readerEpoch(policy.stream),
    };
    const message = new ReadChunk([entry], arrival, this.#parts.outcomes).messageAt(0);
    message.isSuspect = isSuspect;
    held.admit(message);
    return !this.#isReadEarly || this.#isReadable(message) ? message : undefined;
  }

  /** The key of an entry that is not taken in; `undefined` if it has none, or none that can be found out. */
  keyOf(entry: StreamEntry): string | undefined {
    const { policy } = this.#scope;
    // It is held by nobody.
    const times = { arrivedAtMs: 0, heldSinceMs: 0, ripeAtMs: 0 };
    const message = new ReadChunk([entry], { deliveries: 1, ...times, epoch: 0 }, this.#parts.outcomes).messageAt(0);
    try {
      return policy.orderBy === undefined ? undefined : keyOf(message, policy.orderBy);
    } catch (error) {
      if (!PayloadError.is(error)) throw error;
      return undefined;
    }
  }

  /** Takes in a message that was found pending for this consumer: its id, and how often it was offered before. */
  adopt(id: EntryId, deliveries: number): void {
    const { held, clock, usage } = this.#scope;
    if (deliveries >= usage.maxDeliveries) {
      held.reserve(id);
      return this.#parts.deadLetterWriter.add({
        ...{ id, message: undefined, why: "maxDeliveries", text: "" },
        isLastChance: isLastChance(deliveries, usage.maxDeliveries),
      });
    }
    const nowMs = clock.nowMs();
    held.adopt({
      id,
      deliveries,
      dueAtMs: nowMs,
      ripeAtMs: nowMs,
      isSuspect: usage.isSuspect(deliveries + 1),
      hasFailedHere: false,
    });
  }

  /** Whether messages are decoded, or their keys read, when they arrive. */
  get #isReadEarly(): boolean {
    const { isDecodedEarly, orderBy } = this.#scope.policy;
    return isDecodedEarly || orderBy !== undefined;
  }

  /** Whether its value can be decoded, and its key read. If not, the message goes to the dead letters. */
  #isReadable(message: Message<Value>): boolean {
    const { policy, order } = this.#scope;
    try {
      // First: a message that cannot be decoded holds up its key until it is in the dead letters.
      if (policy.orderBy !== undefined) {
        // Once it is known it stays, whatever the function says the next time.
        message.key = order?.lineOf(message.id)?.key ?? keyOf(message, policy.orderBy);
      }
      if (policy.isDecodedEarly) void message.value;
      return true;
    } catch (error) {
      if (!PayloadError.is(error)) throw error;
      this.#parts.deadLetterWriter.add({ id: message.id, message, why: "undecodable", text: error.message });
      return false;
    }
  }
}
