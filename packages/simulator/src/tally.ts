/** What a run cost, and how late its messages were. */

import { Latencies } from "./latencies.ts";

// A move that reverses another within this many seconds is a reversal.
const REVERSAL_SECONDS = 600;

export class Tally {
  readonly #objective: number;
  readonly #latencies = new Latencies();
  #counted = 0;
  #late = 0;
  #consumerSeconds = 0;
  #actions = 0;
  #reversals = 0;
  #killed = 0;
  #last: { readonly sign: number; readonly at: number } | null = null;

  constructor(objective: number) {
    this.#objective = objective;
  }

  /** A message is done this many seconds after it arrived. */
  finished(seconds: number): void {
    this.#counted++;
    if (seconds > this.#objective) this.#late++;
    this.#latencies.add(seconds);
  }

  /** A message is not done when the run ends; only those that are late already are counted. */
  unfinished(seconds: number): void {
    if (seconds > this.#objective) this.finished(seconds);
  }

  existed(consumers: number, seconds: number): void {
    this.#consumerSeconds += consumers * seconds;
  }

  moved(from: number, to: number, at: number): void {
    const sign = Math.sign(to - from);
    this.#actions++;
    if (this.#last !== null && this.#last.sign !== sign && at - this.#last.at < REVERSAL_SECONDS) this.#reversals++;
    this.#last = { sign, at };
  }

  killed(messages: number): void {
    this.#killed += messages;
  }

  get result(): Outcome {
    return {
      messages: this.#counted,
      violationPercent: (100 * this.#late) / Math.max(1, this.#counted),
      p99Seconds: this.#latencies.quantile(0.99),
      consumerHours: this.#consumerSeconds / 3_600,
      actions: this.#actions,
      reversals: this.#reversals,
      killedInFlight: this.#killed,
    };
  }
}

/** The result of a policy on a trace. */
export interface Outcome {
  /**
   * Messages that were processed, and those that were not but are late already when the trace ends. Messages that fail every
   * time are not counted.
   */
  readonly messages: number;
  /** Messages that took longer than the objective from their arrival to their acknowledgement, in percent. */
  readonly violationPercent: number;
  /** 99 of 100 messages took no longer, in seconds; to a hundredth of itself, 0 without messages. */
  readonly p99Seconds: number;
  /** Hours of all consumers together, including those that start and those that were asked to stop. */
  readonly consumerHours: number;
  /** How often the number of consumers was changed. */
  readonly actions: number;
  /** How often a change took back the one before within ten minutes. */
  readonly reversals: number;
  /** Messages of consumers that were killed at work because they took too long to go. */
  readonly killedInFlight: number;
}
