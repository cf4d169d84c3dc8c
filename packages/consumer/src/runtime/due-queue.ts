/** A message that was put off: its id only, its payload is read again when it is due. */
export interface Deferred {
  readonly id: string;
  /** How often it was delivered so far. */
  readonly deliveries: number;
  /** When it is read again, by the local clock. */
  readonly dueAtMs: number;
  /** Before this moment it may only accompany new messages. */
  readonly ripeAtMs: number;
}

/** Deferred messages, the one that is due first on top: a binary heap. */
export class DueQueue {
  readonly #heap: Deferred[] = [];

  peek(): Deferred | undefined {
    return this.#heap[0];
  }

  push(deferred: Deferred): void {
    const heap = this.#heap;
    let at = heap.push(deferred) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#dueAt(parent) <= deferred.dueAtMs) break;
      heap[at] = heap[parent] as Deferred;
      at = parent;
    }
    heap[at] = deferred;
  }

  pop(): Deferred | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#dueAt(child + 1) < this.#dueAt(child)) child++;
      if (this.#dueAt(child) >= last.dueAtMs) break;
      heap[at] = heap[child] as Deferred;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  #dueAt(index: number): number {
    return (this.#heap[index] as Deferred).dueAtMs;
  }
}
