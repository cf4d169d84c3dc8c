/** A producer at a steady rate, and the fate of each of its messages. */
import { setTimeout as pause } from "node:timers/promises";
import { ConnectionError, Producer, type ProducerOptions } from "@redis-batch/consumer";

const PER_SECOND = 5_000;
/** The most adds that wait for confirmation at a time: as many requests as a busy server has under way. */
const IN_FLIGHT = 64;
const RETRY_MS = 10;

export const STREAM = "payments";

/** The fate of the messages of one round. */
export interface Tally {
  readonly confirmed: number;
  /** Confirmed, and not there in the end. */
  readonly lost: number;
  /** The add rejected with the outcome `unknown`. */
  readonly unknown: number;
  /** Of those, how many are there. */
  readonly unknownThere: number;
}

export class Load implements AsyncDisposable {
  readonly #producer: Producer;
  readonly #confirmed = new Set<string>();
  readonly #unknown = new Set<string>();
  readonly #loops: Promise<void>[];
  #next = 0;
  #dueAtMs = performance.now();
  #isOver = false;

  /** Starts at once. */
  constructor(options: Pick<ProducerOptions, "redis" | "waitForReplicas">, valueBytes = 100) {
    this.#producer = new Producer({ ...options, stream: STREAM, closeTimeoutMs: 0, observer: () => {} });
    const value = "x".repeat(valueBytes);
    this.#loops = Array.from({ length: IN_FLIGHT }, () => this.#loop(value));
  }

  get confirmed(): number {
    return this.#confirmed.size;
  }

  /** Resolves when that many more messages have been confirmed. */
  async untilConfirmed(more: number): Promise<void> {
    const goal = this.#confirmed.size + more;
    while (this.#confirmed.size < goal) await pause(RETRY_MS);
  }

  /** Ends it; what is under way still ends. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.#producer.close();
  }

  /** @param there the values of the field `n` that are in the stream in the end */
  tally(there: ReadonlySet<string>): Tally {
    return {
      confirmed: this.#confirmed.size,
      lost: [...this.#confirmed].filter((n) => !there.has(n)).length,
      unknown: this.#unknown.size,
      unknownThere: [...this.#unknown].filter((n) => there.has(n)).length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#producer.close();
  }

  async #loop(value: string): Promise<void> {
    while (!this.#isOver) {
      const n = String(this.#next++);
      // What could not be added in time is not made up for.
      this.#dueAtMs = Math.max(this.#dueAtMs + 1_000 / PER_SECOND, performance.now());
      const early = this.#dueAtMs - performance.now();
      if (early >= 1) await pause(early);
      try {
        await this.#producer.add({ n, value });
        this.#confirmed.add(n);
      } catch (error) {
        // Each message is added once: what was refused, or not sent, is not missed.
        if (ConnectionError.is(error) && error.outcome === "unknown") this.#unknown.add(n);
        await pause(RETRY_MS);
      }
    }
  }
}

/** The values of the field `n` of every entry that a server has. */
export async function numbersAt(server: {
  command(...args: readonly (string | number)[]): Promise<unknown>;
}): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for (let from = "-"; ; ) {
    const page = (await server.command("XRANGE", STREAM, from, "+", "COUNT", 5_000)) as [string, string[]][];
    for (const [, fields] of page) there.add(String(fields[1]));
    const last = page.at(-1);
    if (last === undefined) return there;
    from = `(${last[0]}`;
  }
}
