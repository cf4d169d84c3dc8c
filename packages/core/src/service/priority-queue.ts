/**
 * Returns its items in your own order, whatever the order in which they were added. Adding and taking cost the logarithm of
 * the number of items. (A binary heap; equal items come in no particular order, but always in the same.)
 */
export class PriorityQueue<Item> {
  readonly #heap: Item[] = [];
  readonly #isBefore: (left: Item, right: Item) => boolean;

  /** @param isBefore whether the left item comes out before the right one; `false` for equal items */
  constructor(isBefore: (left: Item, right: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  /** The first item, which stays; `undefined` when there is none. */
  peek(): Item | undefined {
    return this.#heap[0];
  }

  push(item: Item): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Item;
      if (!this.#isBefore(item, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  /** Takes the first item out; `undefined` when there is none. */
  pop(): Item | undefined {
    const heap = this.#heap;
    const size = heap.length - 1;
    if (size < 1) return heap.pop();
    const first = heap[0];
    const last = heap.pop() as Item;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#isBefore(heap[child + 1] as Item, heap[child] as Item)) child++;
      if (!this.#isBefore(heap[child] as Item, last)) break;
      heap[at] = heap[child] as Item;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
