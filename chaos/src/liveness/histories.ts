/** Puts together what the journals, the witness and the faults know of each message. */
import type { Offer } from "../duplicate.ts";
import { addedAtMs } from "../entry.ts";
import type { MessageHistory, OwnerChange } from "./waits.ts";

export interface HistoryFacts {
  readonly messages: readonly Pick<MessageHistory, "key" | "id" | "orderKey">[];
  readonly offers: readonly Offer[];
  readonly owners: ReadonlyMap<string, readonly OwnerChange[]>;
  /** Ids that a fault removed from the stream, and when. */
  readonly destroyed: ReadonlyMap<string, number>;
  /** Ids that the server still holds in the end. */
  readonly inFlight: ReadonlySet<string>;
  /** How much the clock of the ids is ahead of the clock of the journals, in milliseconds. */
  readonly serverAheadMs: number;
}

export function historiesOf({
  messages,
  offers,
  owners,
  destroyed,
  inFlight,
  serverAheadMs,
}: HistoryFacts): readonly MessageHistory[] {
  const offersById = Map.groupBy(offers, ({ id }) => id);
  return messages.map(({ key, id, orderKey }) => {
    const own = (offersById.get(id) ?? []).toSorted((a, b) => a.atMs - b.atMs);
    const held = owners.get(id) ?? [];
    const ends = [settledAt(own), destroyed.get(id), inFlight.has(id) ? undefined : goneAt(own, held)];
    const known = ends.filter((atMs) => atMs !== undefined);
    const endMs = known.length === 0 ? undefined : Math.min(...known);
    return {
      ...{ key, id, orderKey, offers: own, owners: held, endMs },
      addedAtMs: addedAtMs(id) - serverAheadMs,
      isDestroyed: endMs !== undefined && endMs === destroyed.get(id),
    };
  });
}

/** When a worker learned that the server has the outcome. */
function settledAt(offers: readonly Offer[]): number | undefined {
  return offers.find(({ settledAtMs }) => settledAtMs !== undefined)?.settledAtMs;
}

/**
 * When the witness saw that it is not pending any more, or when it was last worked on: nobody has told its worker that the
 * server has the outcome, but it is there no more.
 */
function goneAt(offers: readonly Offer[], owners: readonly OwnerChange[]): number | undefined {
  const last = owners.at(-1);
  if (last?.owner === null) return last.atMs;
  return offers.at(-1)?.atMs ?? last?.atMs;
}
