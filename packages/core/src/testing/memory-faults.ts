import type { RedisBatchError } from "../errors/errors.ts";
import type { StreamClient } from "../stream-client.ts";

/** Every method of the port that goes to the server. */
export type MemoryMethod = Exclude<keyof StreamClient, "readerEpoch" | "close">;

/** Where in a call a fault strikes: before the server executes it, or after, under way back. */
export type FaultMoment = "before" | "after";

/** Calls that wait for the test's word. */
export interface HeldCalls {
  /** How many wait. */
  readonly count: number;
  /** Lets those that wait go on, in their order, and holds no more. */
  release(): void;
}

interface Failure {
  readonly method: MemoryMethod;
  readonly moment: FaultMoment;
  readonly error: RedisBatchError;
}

/** What goes wrong next, for all clients of one in-memory Redis. */
export class MemoryFaults {
  readonly #failures: Failure[] = [];
  readonly #holds = new Map<string, Hold>();

  fail(method: MemoryMethod, moment: FaultMoment, error: RedisBatchError, times: number): void {
    for (let count = 0; count < times; count++) this.#failures.push({ method, moment, error });
  }

  hold(method: MemoryMethod, moment: FaultMoment): HeldCalls {
    const key = `${method} ${moment}`;
    const hold = new Hold(() => this.#holds.delete(key));
    this.#holds.set(key, hold);
    return hold;
  }

  /** Passes, fails or holds one call at one moment. `undefined`: it passes, and at once. */
  strike(method: MemoryMethod, moment: FaultMoment): Promise<void> | undefined {
    const index = this.#failures.findIndex((failure) => failure.method === method && failure.moment === moment);
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
    return this.#holds.get(`${method} ${moment}`)?.join();
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
