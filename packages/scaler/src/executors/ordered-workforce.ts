import type { Workforce } from "../executor.ts";

/** Remembers the last order, for executors that do not know the current number. */
export class OrderedWorkforce {
  #desired: number | null = null;

  ordered(desired: number): void {
    this.#desired = desired;
  }

  /** `null` before the first order: then active consumers count. */
  status(): Workforce | null {
    return this.#desired === null ? null : { desired: this.#desired, ready: null, startingMs: [], startUpsMs: [] };
  }
}
