import { UsageError } from "../errors/errors.ts";

/**
 * | from     | to                          |
 * |----------|-----------------------------|
 * | idle     | starting, closed            |
 * | starting | running, draining, failed   |
 * | running  | draining, failed            |
 * | draining | closed, failed              |
 * | failed   | closed                      |
 * | closed   | –                           |
 */
export type LifecycleState = "idle" | "starting" | "running" | "draining" | "failed" | "closed";

const TRANSITIONS: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  idle: ["starting", "closed"],
  starting: ["running", "draining", "failed"],
  running: ["draining", "failed"],
  draining: ["closed", "failed"],
  failed: ["closed"],
  closed: [],
};

/** The state of a long-lived service; refuses every move that is not in the table above. */
export class Lifecycle {
  readonly #service: string;
  #state: LifecycleState = "idle";

  constructor(service: string) {
    this.#service = service;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Whether the service may still be used: it was not stopped and has not failed. */
  get isOpen(): boolean {
    return this.#state === "idle" || this.#state === "starting" || this.#state === "running";
  }

  canMoveTo(next: LifecycleState): boolean {
    return TRANSITIONS[this.#state].includes(next);
  }

  /** @throws {UsageError} when the table has no such move */
  moveTo(next: LifecycleState): void {
    if (!this.canMoveTo(next)) throw new UsageError(`${this.#service} is ${this.#state} and cannot become ${next}`);
    this.#state = next;
  }

  /** @throws {UsageError} when the service was closed or has failed */
  assertOpen(action: string): void {
    if (!this.isOpen) throw new UsageError(`cannot ${action}: the ${this.#service.toLowerCase()} is ${this.#state}`);
  }
}
