import { compareEntryIds } from "@redis-batch/core/internal";

/** A message that was deferred: its id only, its payload is read again when it is due. */
export interface Deferred {
  readonly id: string;
  /** How often it was delivered so far. */
  readonly deliveries: number;
  /** When it is read again, by the local clock. */
  readonly dueAtMs: number;
  /** Before this moment it may only accompany new messages. */
  readonly ripeAtMs: number;
  /** Whether it is offered alone, and not before another one like it has ended. */
  readonly isSuspect: boolean;
  /** Whether it has failed in this process. */
  readonly hasFailedHere: boolean;
}

/** Messages that were deferred, the one that is due first on top: a binary heap. */
export class DeferredQueue {
  readonly #heap: Deferred[] = [];

  peek(): Deferred | undefined {
    return this.#heap[0];
  }

  push(deferred: Deferred): void {
    const heap = this.#heap;
    let at = heap.push(deferred) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(deferred, heap[parent] as Deferred)) break;
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
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Deferred, heap[child] as Deferred)) child++;
      if (!isBefore(heap[child] as Deferred, last)) break;
      heap[at] = heap[child] as Deferred;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

/** What is due at the same time goes in stream order. */
function isBefore(left: Deferred, right: Deferred): boolean {
  return left.dueAtMs === right.dueAtMs ? compareEntryIds(left.id, right.id) < 0 : left.dueAtMs < right.dueAtMs;
}
