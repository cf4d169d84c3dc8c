/** Whether the messages of one key were completed in the order in which they are in their stream. */
import type { Offer } from "./duplicate.ts";
import { compareEntries, streamOf } from "./entry.ts";

/** The server's clock is known to the journals as exactly as this. */
const SERVER_CLOCK_MS = 5;

/** The first time that a handler finished a message, or that it became a dead letter. */
interface Completion {
  readonly key: string;
  readonly id: string;
  /** It was not before this, and not after that. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface OutOfOrder {
  readonly key: string;
  readonly id: string;
  readonly text: string;
  /** The earlier message, which was completed later. */
  readonly related: { readonly key: string; readonly id: string };
}

/**
 * Every message that was completed before an earlier one of its stream and order key. Only the first completion of each
 * counts: what is redelivered after that, or redriven, comes when it comes. What a fault destroyed has none.
 *
 * @param orderKeys by the messages' own keys
 * @param letters the dead letters, by the times that the server gave them, on the clock of the journals
 */
export function findOutOfOrder(
  orderKeys: ReadonlyMap<string, string>,
  offers: readonly Offer[],
  letters: readonly { readonly key: string; readonly id: string; readonly atMs: number }[],
): readonly OutOfOrder[] {
  const lines = Map.groupBy(firstCompletions(offers, letters), ({ key, id }) => {
    const orderKey = orderKeys.get(key);
    return orderKey === undefined ? undefined : `${streamOf(id)} ${orderKey}`;
  });
  return [...lines].flatMap(([line, completions]) =>
    line === undefined ? [] : overtaking(completions, orderKeys.get((completions[0] as Completion).key) ?? ""),
  );
}

function firstCompletions(
  offers: readonly Offer[],
  letters: readonly { readonly key: string; readonly id: string; readonly atMs: number }[],
): readonly Completion[] {
  const first = new Map<string, Completion>();
  const add = (completion: Completion): void => {
    const known = first.get(completion.id);
    if (known === undefined || completion.toMs < known.toMs) first.set(completion.id, completion);
  };
  for (const { key, id, worked } of offers) {
    if (worked !== undefined) add({ key, id, fromMs: worked.atMs, toMs: worked.atMs });
  }
  for (const { key, id, atMs } of letters) {
    add({ key, id, fromMs: atMs - SERVER_CLOCK_MS, toMs: atMs + SERVER_CLOCK_MS });
  }
  return [...first.values()];
}

/** @param completions all of one stream and order key */
function overtaking(completions: readonly Completion[], orderKey: string): readonly OutOfOrder[] {
  const found: OutOfOrder[] = [];
  let last: Completion | undefined;
  for (const completion of completions.toSorted((a, b) => compareEntries(a.id, b.id))) {
    const { key, id, fromMs, toMs } = completion;
    if (last !== undefined && toMs < last.fromMs) {
      const text = `of ${orderKey}, completed ${Math.round(last.fromMs - toMs)} ms before ${last.key} (${last.id}), which is before it`;
      found.push({ key, id, text, related: { key: last.key, id: last.id } });
    }
    if (last === undefined || fromMs > last.fromMs) last = completion;
  }
  return found;
}
