import type { RedisBatchError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";

/** Every method of the port that goes to the server. */
export type MemoryMethod = Exclude<keyof StreamClient, "readerEpoch" | "readTogether" | "close">;

/** Where in a call a fault strikes: before the server executes it, or after, under way back. */
export type FaultMoment = "before" | "after";

/** Calls that wait for the test's word. */
export interface HeldCalls {
  /** How many wait. */
  readonly count: number;
  /** Lets those that wait go on, in their order, and holds no more. */
  release(): void;
}

/** Which calls a fault is about. */
export type FaultyCalls = "any" | MemoryMethod | readonly MemoryMethod[];

interface Failure {
  readonly calls: FaultyCalls;
  readonly moment: FaultMoment;
  readonly error: RedisBatchError;
  left: number;
}

interface Held {
  readonly calls: FaultyCalls;
  readonly moment: FaultMoment;
  readonly hold: Hold;
}

/** What goes wrong next, for all clients of one in-memory Redis. */
export class MemoryFaults {
  readonly #failures = new Set<Failure>();
  readonly #held = new Set<Held>();

  fail(calls: FaultyCalls, moment: FaultMoment, error: RedisBatchError, times: number): void {
    this.#failures.add({ calls, moment, error, left: times });
  }

  hold(calls: FaultyCalls, moment: FaultMoment): HeldCalls {
    const hold = new Hold(() => this.#held.delete(held));
    const held = { calls, moment, hold };
    this.#held.add(held);
    return hold;
  }

  /** Passes, fails or holds one call at one moment. `undefined`: it passes, and at once. */
  strike(method: MemoryMethod, moment: FaultMoment): Promise<void> | undefined {
    const isMeant = ({ calls, moment: when }: Failure | Held): boolean =>
      when === moment && (calls === "any" || calls === method || calls.includes(method));
    const failure = [...this.#failures].find(isMeant);
    if (failure !== undefined) {
      failure.left--;
      if (failure.left <= 0) this.#failures.delete(failure);
      throw failure.error;
    }
    return [...this.#held].find(isMeant)?.hold.join();
  }
}

class Hold implements HeldCalls {
  readonly #waiting: (() => void)[] = [];
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  get count(): number {
    return this.#waiting.length;
  }

  join(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    this.#end();
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
