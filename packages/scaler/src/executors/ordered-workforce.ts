import type { Workforce } from "../executor.ts";

/** What somebody was told last that does not tell what there is. */
export class OrderedWorkforce {
  #desired: number | null = null;

  told(desired: number): void {
    this.#desired = desired;
  }

  /** `null` before anything was told: then those count that work. */
  status(): Workforce | null {
    return this.#desired === null ? null : { desired: this.#desired, ready: null, startingMs: [], startUpsMs: [] };
  }
}
