/** Where messages come in, as new deliveries or by what the pending list says, and where those go out that were lost. */
import {
  type Clock,
  type Codec,
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
import type { Collector } from "./collector.ts";
import type { Custody } from "./custody.ts";
import type { Undertaker } from "./undertaker.ts";

export interface IntakeContext<Value> {
  readonly policy: { readonly codec: Codec<Value>; readonly isDecodedEarly: boolean };
  readonly client: Pick<StreamClient, "readerEpoch">;
  readonly custody: Custody<Value>;
  readonly collector: Collector<Value>;
  readonly undertaker: Undertaker<Value>;
  /** Who takes the outcomes of the messages. */
  readonly keeper: MessageKeeper<Value>;
  readonly clock: Clock;
  /** How often a message is offered at most. */
  readonly maxDeliveries: () => number;
  readonly report: (event: ConsumerEvent) => void;
}

export class Intake<Value> {
  readonly #context: IntakeContext<Value>;

  constructor(context: IntakeContext<Value>) {
    this.#context = context;
  }

  /** Takes in what a read brought that was sent at `sinceMs` → what of it can be offered. */
  admit(entries: readonly StreamEntry[], sinceMs: number): readonly Message<Value>[] {
    const nowMs = this.#context.clock.nowMs();
    const { readerEpoch } = this.#context.client;
    const times = { arrivedAtMs: nowMs, heldSinceMs: sinceMs, ripeAtMs: nowMs };
    const arrival: Arrival = { deliveries: 1, ...times, epoch: readerEpoch };
    const messages = entries.map((entry) => new Message(entry, arrival, this.#context.keeper));
    this.#context.custody.admitRead(messages);
    return this.#context.policy.isDecodedEarly ? messages.filter((message) => this.#isReadable(message)) : messages;
  }

  /** Takes a delivery in that was claimed → the message, or none when it cannot be offered. */
  readmit(
    { deliveries, ...entry }: DeliveredEntry,
    times: Pick<Arrival, "heldSinceMs" | "ripeAtMs">,
  ): Message<Value> | undefined {
    const { policy, clock, client, custody, keeper } = this.#context;
    const arrival: Arrival = { deliveries, arrivedAtMs: clock.nowMs(), ...times, epoch: client.readerEpoch };
    const message = new Message(entry, arrival, keeper);
    custody.admit(message);
    return !policy.isDecodedEarly || this.#isReadable(message) ? message : undefined;
  }

  /** Takes a message in that was found pending for this consumer, by its id. */
  adopt(id: EntryId, deliveries: number): void {
    const { custody, undertaker, clock, maxDeliveries } = this.#context;
    if (deliveries < maxDeliveries()) return custody.putOffUnseen(id, deliveries, clock.nowMs());
    custody.reserve(id);
    undertaker.add({ id, message: undefined, why: "maxDeliveries", text: "" });
  }

  /** Lets go of a message that is not this consumer's any more. */
  lose(id: EntryId, loss: LeaseLoss): void {
    const { custody, collector, report } = this.#context;
    const message = custody.messageOf(id);
    custody.dismiss(id);
    if (message !== undefined) {
      if (message.state === "buffered") collector.drop(message);
      message.state = "lost";
      message.abort(
        new LeaseLostError(`message ${id} is not this consumer's any more: ${loss}`, { entryId: id, loss }),
      );
    }
    if (loss === "vanished") report({ type: "vanished", ids: [id] });
    else report({ type: "lost", ids: [id], why: loss === "taken" ? "not-owned" : loss });
  }

  /** Whether its value can be decoded; if not, it goes to the dead letters. */
  #isReadable(message: Message<Value>): boolean {
    try {
      void message.value;
      return true;
    } catch (error) {
      if (!PayloadError.is(error)) throw error;
      this.#context.undertaker.add({ id: message.id, message, why: "undecodable", text: error.message });
      return false;
    }
  }
}
