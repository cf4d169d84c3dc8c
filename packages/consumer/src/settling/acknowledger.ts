/** Acknowledges messages: with a plain XACK while nobody else can have taken them, otherwise with an owner check. */

import { ConnectionError, type EntryId, NoGroupError } from "@redis-batch/core";
import type { Capabilities } from "@redis-batch/core/internal/connection";
import { asError, toErrorInfo } from "@redis-batch/core/internal/errors";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import type { LeaseRenewer } from "../liveness/lease-renewer.ts";
import type { Arrival, Message, Place } from "../message.ts";
import type { Scope } from "../scope.ts";
import { SendQueue } from "./send-queue.ts";
import { stillPending } from "./still-pending.ts";

// With this many ids Lua's unpack and the server's own loop both stay far from their limits.
const IDS_PER_COMMAND = 1_000;

/** The result of acknowledging by id. */
export interface AckReport {
  readonly acknowledged: readonly EntryId[];
  /** Not this consumer's: pending for another one, acknowledged before, or never delivered. */
  readonly notOwned: readonly EntryId[];
}

export class Acknowledger<Value> {
  readonly #scope: Scope<Value>;
  readonly #leases: LeaseRenewer<Value>;
  /** Not of messages: an object that nobody has any more need not be kept for this. */
  readonly #queue: SendQueue<Place<Value>>;
  /** Whether a released message was ever acknowledged. */
  #mayBeLate = false;
  /** Why acknowledging failed for good. */
  #failure: Error | undefined;
  /** Whether the server has a command of its own that deletes what every group has acknowledged. */
  #canAckDelete = false;

  constructor(scope: Scope<Value>, { leases }: { readonly leases: LeaseRenewer<Value> }) {
    const { held, report, fail } = scope;
    this.#scope = scope;
    this.#leases = leases;
    this.#queue = new SendQueue(scope, {
      limit: IDS_PER_COMMAND,
      deliver: async (places, mayBeDone) => {
        try {
          await this.#acknowledge(places, mayBeDone);
        } catch (error) {
          // The reader recreates the group, in which nothing is pending.
          if (!NoGroupError.is(error)) throw error;
          this.#conclude(places, new Set(places.map(idAt)));
        }
      },
      onRetry: (places, retryInMs, error) =>
        report({ type: "ackFailed", messages: places.length, retryInMs, error: toErrorInfo(error) }),
      onFailure: (places, error) => {
        // Nothing is lost: the messages stay pending, and are redelivered when the cause is gone.
        for (const place of places) held.withdrawOutcome(place);
        this.#failure = asError(error);
        fail(error);
      },
    });
  }

  /** Takes in what the server can do, once that is known. */
  learn({ ackDelete }: Capabilities): void {
    this.#canAckDelete = ackDelete;
  }

  /** Acknowledgements that the server has not answered yet. */
  get pending(): number {
    return this.#queue.pending;
  }

  add(message: Message<Value>): void {
    this.#mayBeLate ||= message.isLetGo;
    this.#scope.held.beginAck(message);
    const { chunk, index, entry } = message;
    this.#queue.add({ chunk, index, entry });
  }

  /**
   * Acknowledges by id: held messages as their own `ack()` does, all others with an owner check.
   *
   * @throws {RedisBatchError} when the server does not take it, or the consumer stops before it has answered
   */
  async acknowledgeIds(ids: readonly EntryId[]): Promise<AckReport> {
    const { held, report } = this.#scope;
    const known: Message<Value>[] = [];
    const unknown: EntryId[] = [];
    for (const id of new Set(ids)) {
      const message = held.messageOf(id);
      const isHeld = message !== undefined && (message.state === "acking" || held.canSettle(message));
      if (isHeld) known.push(message);
      else unknown.push(id);
    }
    for (const message of known) if (held.canSettle(message)) this.add(message);
    const notOwned = new Set<EntryId>();
    for (let start = 0; start < unknown.length; start += IDS_PER_COMMAND) {
      for (const id of await this.#acknowledgeOwned(unknown.slice(start, start + IDS_PER_COMMAND))) notOwned.add(id);
    }
    const acknowledged = unknown.filter((id) => !notOwned.has(id));
    if (acknowledged.length > 0) report({ type: "acknowledged", messages: acknowledged.length });
    for (const id of acknowledged) held.dismiss(id);
    await this.whenThrough(known);
    const idsIn = (state: Message<Value>["state"]): EntryId[] =>
      known.filter((message) => message.state === state).map(({ id }) => id);
    const [done, tooLate] = [idsIn("acknowledged"), idsIn("tooLate")];
    if (done.length + tooLate.length < known.length) {
      throw this.#failure ?? new ConnectionError("ack: the consumer stopped before an answer", { outcome: "unknown" });
    }
    return { acknowledged: [...acknowledged, ...done], notOwned: [...notOwned, ...tooLate] };
  }

  /** Resolves when the server has answered for all of these messages. */
  whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    return this.#queue.when(() => messages.every((message) => message.state !== "acking"));
  }

  /** Resolves when the server has answered every acknowledgement. */
  whenIdle(): Promise<void> {
    return this.#queue.when(() => this.#queue.pending === 0);
  }

  /** Stops sending, and gives up on what has not been answered. */
  stop(): void {
    this.#queue.stop();
  }

  async #acknowledge(places: readonly Place<Value>[], mayBeDone: boolean): Promise<void> {
    const { client, policy, report } = this.#scope;
    const isAnyLate = this.#mayBeLate && places.some(({ chunk, index }) => chunk.isLetGo(index));
    if (isAnyLate) return this.#acknowledgeLate(places, mayBeDone);
    // Read over the current connection and within the lease: nobody else can have taken them.
    if (!mayBeDone && this.#areCertain(places)) {
      const acknowledged = await this.#acknowledgePlainly(places);
      if (acknowledged !== undefined) {
        this.#conclude(places, undefined);
        // Somebody else acknowledged them, or the pending list is gone: either way they are no longer pending.
        if (acknowledged < places.length) report({ type: "ackIncomplete", sent: places.length, acknowledged });
        return;
      }
    }
    const notOwned = await this.#acknowledgeOwned(places.map(idAt));
    // After a lost reply, most of those that are "not owned" were acknowledged by the first attempt.
    this.#conclude(places, mayBeDone ? await stillPending(client, policy, notOwned) : new Set(notOwned));
  }

  /** Acknowledges messages of which some have been released, unless another consumer has claimed them. */
  async #acknowledgeLate(places: readonly Place<Value>[], mayBeDone: boolean): Promise<void> {
    const { client, policy } = this.#scope;
    let notOwned: readonly EntryId[] = places.map(idAt);
    for (const name of [policy.name, LATER, RELEASED]) notOwned = await this.#acknowledgeOwned(notOwned, name);
    this.#conclude(places, mayBeDone ? await stillPending(client, policy, notOwned) : new Set(notOwned));
  }

  /** Acknowledges the ids that this name still owns → the others. */
  async #acknowledgeOwned(
    ids: readonly EntryId[],
    name: string = this.#scope.policy.name,
  ): Promise<readonly EntryId[]> {
    if (ids.length === 0) return [];
    const { client, policy } = this.#scope;
    const { stream, group, onAck } = policy;
    const own = { stream, group, consumer: name, ids };
    return onAck === "keep"
      ? (await client.ackOwned(own)).notOwned
      : notOwnedOf(await client.deleteIfAllGroupsDone(own));
  }

  #areCertain(places: readonly Place<Value>[]): boolean {
    const { client, policy, owned } = this.#scope;
    // A new owner of a partition does not wait for leases.
    if (owned !== undefined) return false;
    const readerEpoch = client.readerEpoch(policy.stream);
    let known: Arrival | undefined;
    for (const { chunk, index } of places) {
      if (chunk.isDoubtful(index)) return false;
      const { arrival } = chunk;
      // The messages of one read share it, and mostly are next to each other.
      if (arrival === known) continue;
      if (arrival.epoch !== readerEpoch || !this.#leases.isCertainOf(arrival)) return false;
      known = arrival;
    }
    return true;
  }

  /** Acknowledges without an owner check → how many were pending; `undefined` if the server cannot do it. */
  async #acknowledgePlainly(places: readonly Place<Value>[]): Promise<number | undefined> {
    const { client, policy } = this.#scope;
    const { stream, group, onAck } = policy;
    // By the entries: of most ids no text was ever made.
    if (onAck === "keep") return client.xack({ stream, group, ids: places.map(entryAt) });
    if (!this.#canAckDelete) return undefined;
    return places.length - notOwnedOf(await client.xackdel({ stream, group, ids: places.map(idAt) })).length;
  }

  #conclude(places: readonly Place<Value>[], notOwned: ReadonlySet<EntryId> | undefined): void {
    const { held, report } = this.#scope;
    const tooLate: EntryId[] = [];
    for (const place of places) {
      const isTooLate = notOwned?.has(idAt(place)) === true;
      held.endAck(place, isTooLate);
      if (isTooLate) tooLate.push(idAt(place));
    }
    if (tooLate.length < places.length) report({ type: "acknowledged", messages: places.length - tooLate.length });
    if (tooLate.length > 0) report({ type: "outcomeTooLate", ids: tooLate, why: "not-owned" });
  }
}

const entryAt = ({ entry }: Place<unknown>): StreamEntry => entry;
const idAt = ({ entry }: Place<unknown>): EntryId => entry.id;

function notOwnedOf(deletions: ReadonlyMap<EntryId, string>): EntryId[] {
  return [...deletions].filter(([, deletion]) => deletion === "not-owned").map(([id]) => id);
}
