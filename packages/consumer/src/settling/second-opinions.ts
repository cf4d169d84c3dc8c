/**
 * Remembers messages that failed here and were released for another consumer to try. This consumer leaves them to the others
 * for up to a lease, and checks the results: if they succeed elsewhere, the messages are not the problem.
 */
import { type EntryId, RedisBatchError } from "@redis-batch/core";
import { groupKey } from "@redis-batch/core/internal/names";
import type { Peers } from "../liveness/peers.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Scope } from "../scope.ts";
import { stillPending } from "./still-pending.ts";

const MOST_REMEMBERED = 1_000;
// A few are enough, and each one is a command.
const LOOKED_AT_ONCE = 20;
const DEAD_LETTERS_LOOKED_AT = 100;

interface Given {
  /** When it was released, by the local clock. */
  readonly atMs: number;
  /** How long this consumer leaves it to others, in milliseconds. */
  readonly notWantedMs: number;
}

export class SecondOpinions {
  readonly #scope: Scope;
  readonly #peers: Peers;
  readonly #sinkWatch: Pick<SinkWatch, "succeededElsewhere">;
  readonly #given = new Map<EntryId, Given>();

  constructor(
    scope: Scope,
    { peers, sinkWatch }: { readonly peers: Peers; readonly sinkWatch: Pick<SinkWatch, "succeededElsewhere"> },
  ) {
    this.#scope = scope;
    this.#peers = peers;
    this.#sinkWatch = sinkWatch;
    scope.signals.heartbeatSent.listen(() => void this.look());
  }

  /**
   * Remembers released messages that `failed` here, or would go to the dead letters without a second `opinion`. The first kind
   * this consumer claims again sooner.
   */
  remember(ids: readonly EntryId[], why: "failed" | "opinion"): void {
    const { clock, policy } = this.#scope;
    const given = { atMs: clock.nowMs(), notWantedMs: why === "opinion" ? policy.leaseMs : policy.leaseMs / 2 };
    for (const id of ids) {
      this.#given.delete(id);
      this.#given.set(id, given);
    }
    for (const id of this.#given.keys()) {
      if (this.#given.size <= MOST_REMEMBERED) break;
      this.#given.delete(id);
    }
  }

  /** Messages that others should try first. None if no other consumer is alive: then this one tries them again itself. */
  notWanted(): readonly EntryId[] {
    if (this.#given.size === 0 || !this.#peers.lastSeen.isAnyAlive) return [];
    this.#forgetOld();
    const nowMs = this.#scope.clock.nowMs();
    return [...this.#given].filter(([, { atMs, notWantedMs }]) => nowMs - atMs < notWantedMs).map(([id]) => id);
  }

  /** The group was deleted, and nothing is pending in a new one: that says nothing. */
  forget(): void {
    this.#given.clear();
  }

  /** Checks the results of some of them. */
  async look(): Promise<void> {
    this.#forgetOld();
    const ids = [...this.#given.keys()].slice(0, LOOKED_AT_ONCE);
    if (ids.length === 0) return;
    const { client, policy } = this.#scope;
    try {
      await this.#peers.look();
      const pending = await stillPending(client, policy, ids);
      const gone = ids.filter((id) => !pending.has(id));
      // They are checked again only after the others.
      for (const id of ids) if (pending.has(id)) this.#putBehind(id);
      if (gone.length === 0) return;
      for (const id of gone) this.#given.delete(id);
      const dead = await this.#deadLettersOf(gone);
      const succeeded = gone.filter((id) => !dead.has(id)).length;
      // Where nobody else is, an operator may have acknowledged them.
      if (succeeded > 0 && this.#peers.lastSeen.isAnyAlive) this.#sinkWatch.succeededElsewhere(succeeded);
    } catch (error) {
      // The next heartbeat checks again.
      if (!RedisBatchError.is(error)) throw error;
    }
  }

  #putBehind(id: EntryId): void {
    const given = this.#given.get(id);
    if (given === undefined) return;
    this.#given.delete(id);
    this.#given.set(id, given);
  }

  #forgetOld(): void {
    const { clock, policy } = this.#scope;
    const nowMs = clock.nowMs();
    for (const [id, { atMs }] of this.#given) if (nowMs - atMs >= policy.leaseMs) this.#given.delete(id);
  }

  /** Which of them are in the dead letters. A dead letter's id is always greater than its message's. */
  async #deadLettersOf(ids: readonly EntryId[]): Promise<ReadonlySet<EntryId>> {
    const { client, policy } = this.#scope;
    const stream = groupKey("dead", policy.stream, policy.group);
    const found = new Set<EntryId>();
    for (const id of ids) {
      const letters = await client.xrange({ stream, from: id, to: "+", count: DEAD_LETTERS_LOOKED_AT });
      for (const { fields } of letters) {
        for (let at = 0; at + 1 < fields.length; at += 2) {
          if (fields[at]?.toString() === "dead.id") found.add(String(fields[at + 1]));
        }
      }
      if (letters.length === DEAD_LETTERS_LOOKED_AT && !found.has(id)) found.add(id);
    }
    return found;
  }
}
