/** Where messages come in, as new deliveries or by what the pending list says, and where those go out that were lost. */
import {
  type Clock,
  type Decoder,
  type DeliveredEntry,
  type EntryId,
  type LeaseLoss,
  LeaseLostError,
  PayloadError,
  type StreamClient,
  type StreamEntry,
} from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import { type Arrival, Message, type MessageKeeper } from "../message.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { DeadLetterWriter } from "../settling/dead-letter-writer.ts";

export interface AdmitterContext<Value> {
  readonly policy: { readonly codec: Decoder<Value>; readonly isDecodedEarly: boolean };
  readonly client: Pick<StreamClient, "readerEpoch">;
  readonly held: HeldMessages<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  /** Who takes the outcomes of the messages. */
  readonly keeper: MessageKeeper<Value>;
  readonly clock: Clock;
  /** How often a message is offered at most. */
  readonly maxDeliveries: () => number;
  /** Whether a message on its n-th delivery is kept apart. */
  readonly isSuspect: (deliveries: number) => boolean;
  readonly report: (event: ConsumerEvent) => void;
}

export class Admitter<Value> {
  readonly #context: AdmitterContext<Value>;

  constructor(context: AdmitterContext<Value>) {
    this.#context = context;
  }

  /** Takes in what a read brought that was sent at `sinceMs`, and lines up what of it can be offered. */
  admit(entries: readonly StreamEntry[], sinceMs: number): void {
    const { client, held, clock, keeper, policy } = this.#context;
    const nowMs = clock.nowMs();
    const times = { arrivedAtMs: nowMs, heldSinceMs: sinceMs, ripeAtMs: nowMs };
    const arrival: Arrival = { deliveries: 1, ...times, epoch: client.readerEpoch };
    const messages = entries.map((entry) => new Message(entry, arrival, keeper));
    held.admitRead(messages);
    held.lineUpFresh(policy.isDecodedEarly ? messages.filter((message) => this.#isReadable(message)) : messages);
  }

  /** Takes a delivery in that was claimed → the message, or none when it cannot be offered. */
  readmit(
    { deliveries, ...entry }: DeliveredEntry,
    { isSuspect, ...times }: Pick<Arrival, "heldSinceMs" | "ripeAtMs"> & { readonly isSuspect: boolean },
  ): Message<Value> | undefined {
    const { policy, clock, client, held, keeper } = this.#context;
    const arrival: Arrival = { deliveries, arrivedAtMs: clock.nowMs(), ...times, epoch: client.readerEpoch };
    const message = new Message(entry, arrival, keeper);
    message.isSuspect = isSuspect;
    held.admit(message);
    return !policy.isDecodedEarly || this.#isReadable(message) ? message : undefined;
  }

  /** Takes a message in that was found pending for this consumer, by its id, and how often it was offered before. */
  adopt(id: EntryId, deliveries: number): void {
    const { held, deadLetterWriter, clock, maxDeliveries, isSuspect } = this.#context;
    if (deliveries >= maxDeliveries()) {
      held.reserve(id);
      return deadLetterWriter.add({ id, message: undefined, why: "maxDeliveries", text: "" });
    }
    const nowMs = clock.nowMs();
    held.adopt({
      id,
      deliveries,
      dueAtMs: nowMs,
      ripeAtMs: nowMs,
      isSuspect: isSuspect(deliveries + 1),
      hasFailedHere: false,
    });
  }

  /** Lets go of a message that is not this consumer's any more. */
  loseLease(id: EntryId, loss: LeaseLoss): void {
    const { held, report } = this.#context;
    held
      .loseLease(id)
      ?.abort(new LeaseLostError(`message ${id} is not this consumer's any more: ${loss}`, { entryId: id, loss }));
    if (loss === "trimmed") report({ type: "pendingTrimmed", ids: [id] });
    else report({ type: "outcomeTooLate", ids: [id], why: loss === "taken" ? "not-owned" : loss });
  }

  /** Whether its value can be decoded; if not, it goes to the dead letters. */
  #isReadable(message: Message<Value>): boolean {
    try {
      void message.value;
      return true;
    } catch (error) {
      if (!PayloadError.is(error)) throw error;
      this.#context.deadLetterWriter.add({ id: message.id, message, why: "undecodable", text: error.message });
      return false;
    }
  }
}
