import { setImmediate as nextTurn } from "node:timers/promises";

interface ManualTimer {
  readonly dueAtMs: number;
  readonly callback: () => void;
}

const AN_HOUR_MS = 3_600_000;
const MOST_IDLE_TURNS = 100;

/**
 * A clock that moves only when a test moves it. Timers run in the order they are due, each at its own time, and all
 * promises that can settle do so before the next one runs.
 */
export class ManualClock {
  #nowMs: number;
  readonly #timers = new Set<ManualTimer>();

  /** @param startMs not 0 by default, so that code which takes "no time yet" for "time 0" shows itself. */
  constructor(startMs = 1_000) {
    if (!Number.isFinite(startMs)) throw new RangeError("a clock starts at a number of milliseconds");
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Calls back once, `delayMs` from now; the function returned cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void {
    if (Number.isNaN(delayMs)) throw new RangeError("a timer's delay is NaN");
    const timer: ManualTimer = { dueAtMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set and have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the time on, running what becomes due on the way (also what those callbacks set). */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`a clock does not go back: ${ms} ms`);
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#earliest(); next !== undefined && next.dueAtMs <= untilMs; next = this.#earliest()) {
      await this.#run(next);
    }
    this.#nowMs = untilMs;
  }

  /** Moves the time on to the next timer and runs it. Yields the milliseconds that passed; `undefined`: no timer. */
  async advanceToNext(): Promise<number | undefined> {
    await this.settle();
    const next = this.#earliest();
    if (next === undefined) return undefined;
    const passedMs = Math.max(0, next.dueAtMs - this.#nowMs);
    await this.#run(next);
    return passedMs;
  }

  /**
   * Moves the time on, timer by timer, until the promise settles.
   *
   * @param limitMs how far the time moves at most; an hour by default
   * @returns what the promise resolves with
   * @throws what the promise rejects with
   * @throws {Error} when it does not settle within `limitMs`, or nothing is left that could make it
   *
   * @example
   * const batch = await clock.advanceUntil(consumer.fetch());
   */
  async advanceUntil<Result>(promise: Promise<Result>, limitMs: number = AN_HOUR_MS): Promise<Result> {
    if (!(limitMs >= 0)) throw new RangeError(`a clock does not go back: ${limitMs} ms`);
    let isSettled = (): boolean => false;
    const end = (): void => {
      isSettled = () => true;
    };
    promise.then(end, end);
    const untilMs = this.#nowMs + limitMs;
    for (let idleTurns = 0; !isSettled(); ) {
      await this.settle();
      if (isSettled()) break;
      const next = this.#earliest();
      if (next !== undefined && next.dueAtMs > untilMs)
        throw new Error(`the promise did not settle within ${limitMs} ms`);
      if (next !== undefined) await this.#run(next);
      // What takes a few turns of the event loop, such as a reply, may set a timer yet.
      else if (idleTurns++ === MOST_IDLE_TURNS)
        throw new Error("the promise does not settle: no timer is set any more");
    }
    return promise;
  }

  /** Lets every promise that can settle without I/O do so; no time passes. */
  async settle(): Promise<void> {
    await nextTurn();
  }

  async #run(timer: ManualTimer): Promise<void> {
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.dueAtMs);
    timer.callback();
    await this.settle();
  }

  /** Of timers due at the same time the one set first: a set keeps that order. */
  #earliest(): ManualTimer | undefined {
    let earliest: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.dueAtMs < earliest.dueAtMs) earliest = timer;
    }
    return earliest;
  }
}
