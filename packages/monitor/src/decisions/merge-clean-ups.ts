/** The clean-up of a group in all partitions, as one. */
import type { GroupCleanUp } from "../clean-up-report.ts";
import { groupBy } from "./group-by.ts";

/** @param groups those of the same name are merged */
export function mergeCleanUps(groups: readonly GroupCleanUp[]): readonly GroupCleanUp[] {
  return [...groupBy(groups, ({ group }) => group).values()].map((same) => {
    const [first, ...others] = same;
    if (others.length === 0) return first;
    // Where something was done, or could not be done, is what has to be told.
    const telling = same.find(({ moves, left, removed }) => moves.length + left.length + removed.length > 0) ?? first;
    return {
      group: first.group,
      reason: telling.reason,
      moves: addUp(
        same.flatMap(({ moves }) => moves),
        ({ from, to }) => `${from} ${to}`,
      ),
      taken: null,
      left: addUp(
        same.flatMap(({ left }) => left),
        ({ consumer, reason }) => `${consumer} ${reason}`,
      ),
      trimmed: addUp(
        same.flatMap(({ trimmed }) => trimmed),
        ({ consumer }) => consumer,
      ),
      removed: [...new Set(same.flatMap(({ removed }) => removed))].toSorted(),
    };
  });
}

/** Adds up the messages of those that have the same name. */
function addUp<Item extends { readonly messages: number }>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
): Item[] {
  return [...groupBy(items, nameOf).values()].map((same) => ({
    ...same[0],
    messages: same.reduce((sum, { messages }) => sum + messages, 0),
  }));
}
