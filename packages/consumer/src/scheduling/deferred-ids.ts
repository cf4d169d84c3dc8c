/**
 * The ids of deferred messages: those that have a time, and those whose time has come, in line for their payload. Suspects have a
 * line of their own. A message that is no longer deferred is skipped when its turn comes, which is cheaper than removing it at once.
 */
import { type Deferred, DeferredQueue } from "./deferred-queue.ts";

export class DeferredIds {
  readonly #timed = new DeferredQueue();
  /** Deferred messages that are due and whose payload is not in memory: first in, first out. */
  readonly #due: Deferred[] = [];
  readonly #suspects: Deferred[] = [];
  readonly #isStill: (deferred: Deferred) => boolean;

  /** @param isStill whether the message is still deferred: neither acknowledged nor redelivered in the meantime */
  constructor(isStill: (deferred: Deferred) => boolean) {
    this.#isStill = isStill;
  }

  push(deferred: Deferred): void {
    this.#timed.push(deferred);
  }

  /** When the next one is due; `null` if there is none. */
  get nextDueAtMs(): number | null {
    for (;;) {
      const next = this.#timed.peek();
      if (next === undefined) return null;
      if (this.#isStill(next)) return next.dueAtMs;
      this.#timed.pop();
    }
  }

  /** Lines up those that are due → whether there are any. */
  lineUp(nowMs: number): boolean {
    let isAny = false;
    for (let atMs = this.nextDueAtMs; atMs !== null && atMs <= nowMs; atMs = this.nextDueAtMs) {
      const next = this.#timed.pop() as Deferred;
      (next.isSuspect ? this.#suspects : this.#due).push(next);
      isAny = true;
    }
    return isAny;
  }

  /** Whether others, or a suspect, wait for their payload. */
  get waiting(): { readonly due: boolean; readonly suspect: boolean } {
    const skip = (ids: Deferred[]): boolean => {
      while (ids[0] !== undefined && !this.#isStill(ids[0])) ids.shift();
      return ids.length > 0;
    };
    return { due: skip(this.#due), suspect: skip(this.#suspects) };
  }

  /** The first of those that wait for their payload; no suspect. */
  get firstDue(): Deferred | undefined {
    return this.waiting.due ? this.#due[0] : undefined;
  }

  /** All that wait for their payload. */
  inLine(): Deferred[] {
    return [...this.#due, ...this.#suspects].filter((one) => this.#isStill(one));
  }

  /** Since when the first of each line has been waiting; infinite if there is none. */
  get oldestSinceMs(): number {
    const firsts = [this.#due, this.#suspects].map((ids) => ids.find((one) => this.#isStill(one)));
    return Math.min(...firsts.map((first) => first?.dueAtMs ?? Number.POSITIVE_INFINITY));
  }

  /** Takes ids out of their line, one after the other as long as they fit. */
  take(kind: "due" | "suspect", fits: (next: Deferred, taken: number) => boolean): Deferred[] {
    const ids = kind === "due" ? this.#due : this.#suspects;
    const taken: Deferred[] = [];
    let passed = 0;
    for (const next of ids) {
      if (this.#isStill(next)) {
        if (!fits(next, taken.length)) break;
        taken.push(next);
      }
      passed++;
    }
    ids.splice(0, passed);
    return taken;
  }
}
