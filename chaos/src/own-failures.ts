/** How often each message failed by itself, where the messages of a key are worked on in order. */
import type { Offer, WorkerLife } from "./duplicate.ts";
import { compareEntries } from "./entry.ts";
import { isHang } from "./expected-end.ts";

/**
 * By the names of entries. What comes after a failed message of its key in a batch was not tried. A batch of which nothing
 * was finished may have failed whole, for other reasons. What died with its process did not fail.
 *
 * @param orderKeys by the messages' own keys
 */
export function countOwnFailures(
  offers: readonly Offer[],
  orderKeys: ReadonlyMap<string, string>,
  workers: ReadonlyMap<string, WorkerLife>,
  maxHoldMs: number,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const batch of Map.groupBy(offers, ({ worker, atMs }) => `${worker} ${atMs}`).values()) {
    const isWhole = batch.every(({ worked }) => worked === undefined);
    const held = new Set<string | undefined>();
    for (const offer of batch.toSorted((a, b) => compareEntries(a.id, b.id))) {
      const orderKey = orderKeys.get(offer.key);
      if (!held.has(orderKey) && hasFailed(offer, isWhole)) counts.set(offer.id, (counts.get(offer.id) ?? 0) + 1);
      if (offer.worked === undefined) held.add(orderKey);
    }
  }
  return counts;

  function hasFailed(offer: Offer, isWhole: boolean): boolean {
    const { worked, failedAtMs, endedAtMs, worker } = offer;
    if (isHang({ ...offer, endedAtMs: endedAtMs ?? workers.get(worker)?.endedAtMs }, maxHoldMs)) return true;
    return worked === undefined && (failedAtMs !== undefined || (!isWhole && endedAtMs !== undefined));
  }
}
