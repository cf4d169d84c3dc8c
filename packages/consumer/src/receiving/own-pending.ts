/**
 * Compares the consumer's own pending list with what it holds: after every (re)connect and read error the server may have
 * delivered messages that never arrived. Takes in their ids, and releases those beyond `maxDeferred`.
 */
import type { EntryId } from "@redis-batch/core";
import { RELEASED } from "@redis-batch/core/internal/names";
import type { Scope } from "../scope.ts";
import type { KeyLearner } from "./key-learner.ts";
import type { MessageBuilder } from "./message-builder.ts";

// A page of ids is small for client and server alike.
const PAGE = 1_000;

/** A message that is pending for this consumer, and not held by it. */
interface FoundPending {
  readonly id: EntryId;
  /** How often it has been offered. */
  readonly deliveries: number;
}

export class OwnPending<Value> {
  readonly #scope: Scope<Value>;
  readonly #builder: MessageBuilder<Value>;
  readonly #keys: KeyLearner<Value>;
  #comparedEpoch = -1;
  #hasCompared = false;
  #isComparing = false;

  constructor(
    scope: Scope<Value>,
    { builder, keys }: { readonly builder: MessageBuilder<Value>; readonly keys: KeyLearner<Value> },
  ) {
    this.#scope = scope;
    this.#builder = builder;
    this.#keys = keys;
    scope.signals.pendingUnknown.listen(() => {
      this.#comparedEpoch = -1;
    });
  }

  /**
   * Whether all messages that are pending for this consumer are known. Only then may messages be claimed: during the comparison
   * they would be found pending and not held.
   */
  get isKnown(): boolean {
    return this.#hasCompared && !this.#isComparing;
  }

  /** Whether the lists must be compared before the next read. */
  get mustCompare(): boolean {
    const { client, policy } = this.#scope;
    return client.readerEpoch(policy.stream) !== this.#comparedEpoch;
  }

  /** Compares when no claim is under way: claimed messages would be found pending and not held. */
  async compare(claimer: { whenIdle(): Promise<void> }): Promise<void> {
    this.#isComparing = true;
    try {
      await claimer.whenIdle();
      await this.#compare();
    } finally {
      this.#scope.held.stopNoting();
      this.#isComparing = false;
    }
    // Now messages may be claimed again.
    this.#scope.signals.offerableChanged.raise();
  }

  async #compare(): Promise<void> {
    const { client, policy, held, report } = this.#scope;
    const { stream, group, name: consumer } = policy;
    const readerEpoch = client.readerEpoch(stream);
    // The first time: before anything new is read, all that is older is in its place.
    if (policy.isOnlyReader && !this.#hasCompared) await this.#keys.learnGroup();
    // Acknowledgements may go over another connection: one that is answered first may still be found pending.
    const ended = held.noteEnded();
    let found = 0;
    let from = "-";
    for (;;) {
      const page = await client.xpendingRange({ stream, group, consumer, from, to: "+", count: PAGE });
      const unknown = page.filter(({ id }) => !held.holds(id) && !ended.has(id));
      await this.#keys.learn(unknown.map(({ id }) => id));
      found += unknown.length;
      // The first time, an earlier process was offered them. Later, they got lost on their way to this one.
      const lost = this.#hasCompared ? 1 : 0;
      await this.#adopt(unknown.map(({ id, deliveries }) => ({ id, deliveries: Math.max(deliveries - lost, 0) })));
      const last: EntryId | undefined = page.at(-1)?.id;
      if (page.length < PAGE || last === undefined) break;
      from = `(${last}`;
    }
    this.#comparedEpoch = readerEpoch;
    this.#hasCompared = true;
    if (found > 0) report({ type: "undeliveredFound", messages: found });
  }

  /** Takes in as many as this consumer may hold, and releases the rest. */
  async #adopt(found: readonly FoundPending[]): Promise<void> {
    const { client, policy, held, report, signals } = this.#scope;
    const { stream, group, name, maxDeferred } = policy;
    const room = Math.max(maxDeferred - held.deferredCount, 0);
    for (const { id, deliveries } of found.slice(0, room)) this.#builder.adopt(id, deliveries);
    const rest = found.slice(room).map(({ id }) => id);
    if (rest.length === 0) return;
    const { moved } = await client.release({
      ...{ stream, group, from: name, to: RELEASED },
      ...{ offered: rest, neverOffered: [] },
    });
    if (moved > 0) report({ type: "released", messages: moved, why: "deferred" });
    signals.releasedFound.raise();
  }
}
