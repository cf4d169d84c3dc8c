/** Who held each message when, by what a witness saw of the group's pending list. */
import type { WitnessLine } from "../journal.ts";
import type { OwnerChange } from "./waits.ts";

/** Who holds what, and how often it has been delivered, in one look. */
export type Ownership = ReadonlyMap<string, readonly [owner: string, deliveries: number]>;

/** What is different in one look from the one before. A delivery more is no change of owner, and is left out. */
export function compareOwners(before: Ownership, now: Ownership): WitnessLine["changes"] {
  const changes: (readonly [string, string | null, number])[] = [];
  for (const [id, [owner, deliveries]] of now) if (before.get(id)?.[0] !== owner) changes.push([id, owner, deliveries]);
  for (const id of before.keys()) if (!now.has(id)) changes.push([id, null, 0]);
  return changes;
}

/** The history of each message that was ever seen to be pending, in the order of time. */
export function ownersById(lines: readonly WitnessLine[]): ReadonlyMap<string, readonly OwnerChange[]> {
  const histories = new Map<string, OwnerChange[]>();
  for (const { t, changes } of lines) {
    for (const [id, owner, deliveries] of changes) {
      const history = histories.get(id);
      if (history === undefined) histories.set(id, [{ atMs: t, owner, deliveries }]);
      else history.push({ atMs: t, owner, deliveries });
    }
  }
  return histories;
}
