/**
 * Messages that failed here and were given to the group, so that another consumer tries them. This one leaves them to the
 * others for a lease, and looks what became of them: what succeeds elsewhere says that it is not the messages.
 */
import { type Clock, type EntryId, groupKey, RedisBatchError, type StreamClient } from "@redis-batch/core/internal";
import { stillPending } from "../settling/still-pending.ts";
import type { Peers } from "./peers.ts";

const MOST_REMEMBERED = 1_000;
// A few are enough to know, and each is a command.
const LOOKED_AT_ONCE = 20;
const DEAD_LETTERS_LOOKED_AT = 100;

export interface SecondOpinionsContext {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly leaseMs: number;
  };
  readonly client: StreamClient;
  readonly peers: Peers;
  readonly clock: Clock;
  /** Called with how many messages another consumer acknowledged after they had failed here. */
  readonly onSuccessElsewhere: (messages: number) => void;
}

interface Given {
  /** By the local clock. */
  readonly atMs: number;
}

export class SecondOpinions {
  readonly #context: SecondOpinionsContext;
  readonly #given = new Map<EntryId, Given>();

  constructor(context: SecondOpinionsContext) {
    this.#context = context;
  }

  /** Messages failed here, and are the group's again. */
  remember(ids: readonly EntryId[]): void {
    const atMs = this.#context.clock.nowMs();
    for (const id of ids) {
      this.#given.delete(id);
      this.#given.set(id, { atMs });
    }
    for (const id of this.#given.keys()) {
      if (this.#given.size <= MOST_REMEMBERED) break;
      this.#given.delete(id);
    }
  }

  /** Messages that others should try first; none where nobody else is there: alone it is its own second opinion. */
  notWanted(): readonly EntryId[] {
    if (this.#given.size === 0 || !this.#context.peers.lastSeen.isAnyAlive) return [];
    this.#forgetOld();
    return [...this.#given.keys()];
  }

  /** Looks what became of some of them. */
  async look(): Promise<void> {
    this.#forgetOld();
    const ids = [...this.#given.keys()].slice(0, LOOKED_AT_ONCE);
    if (ids.length === 0) return;
    const { client, policy, onSuccessElsewhere, peers } = this.#context;
    try {
      await peers.look();
      const pending = await stillPending(client, policy, ids);
      const gone = ids.filter((id) => !pending.has(id));
      // Looked at again only after the others.
      for (const id of ids) if (pending.has(id)) this.#putBehind(id);
      if (gone.length === 0) return;
      for (const id of gone) this.#given.delete(id);
      const dead = await this.#deadLettersOf(gone);
      const succeeded = gone.filter((id) => !dead.has(id)).length;
      if (succeeded > 0) onSuccessElsewhere(succeeded);
    } catch (error) {
      // The next heartbeat looks again.
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
    const { clock, policy } = this.#context;
    const nowMs = clock.nowMs();
    for (const [id, { atMs }] of this.#given) if (nowMs - atMs >= policy.leaseMs) this.#given.delete(id);
  }

  /** Which of them are in the dead letters: no message dies before it was added, so its letter has a later id. */
  async #deadLettersOf(ids: readonly EntryId[]): Promise<ReadonlySet<EntryId>> {
    const { client, policy } = this.#context;
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
