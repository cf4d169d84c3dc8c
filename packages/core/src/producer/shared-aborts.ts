import { onAbort } from "../service/signals.ts";

interface Group<Item> {
  readonly items: Set<Item>;
  readonly stopListening: () => void;
}

/**
 * One listener per signal, however many items share it: a signal walks its whole list when a listener is added, and a
 * source of many items has one signal for all.
 */
export class SharedAborts<Item> {
  readonly #react: (item: Item, reason: unknown) => void;
  readonly #groups = new Map<AbortSignal, Group<Item>>();

  /** @param react called once for each item whose signal aborts before the item is deleted */
  constructor(react: (item: Item, reason: unknown) => void) {
    this.#react = react;
  }

  /** @param signal not aborted yet */
  add(item: Item, signal: AbortSignal): void {
    const group = this.#groups.get(signal) ?? this.#open(signal);
    group.items.add(item);
  }

  delete(item: Item, signal: AbortSignal): void {
    const group = this.#groups.get(signal);
    if (!group?.items.delete(item) || group.items.size > 0) return;
    group.stopListening();
    this.#groups.delete(signal);
  }

  #open(signal: AbortSignal): Group<Item> {
    const items = new Set<Item>();
    const stopListening = onAbort(signal, (reason) => {
      this.#groups.delete(signal);
      for (const item of items) this.#react(item, reason);
    });
    const group = { items, stopListening };
    this.#groups.set(signal, group);
    return group;
  }
}
