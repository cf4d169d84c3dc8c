/** Who carries decisions out: a process pool, an orchestrator, a command. */

import type { Decision } from "./decisions/decision.ts";

/** The consumers there are, as whoever starts and stops them knows it. */
export interface Workforce {
  /** Consumers that were ordered. */
  readonly desired: number;
  /**
   * Those among them that are ready; `null`: it only knows what was ordered. Then those that work count, starts are
   * timed by them, and what stands in the two fields below is not looked at.
   */
  readonly ready: number | null;
  /** How long ago each that is not ready yet was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  /** How long the latest ones took from the order until they were ready, in milliseconds, the last one last. */
  readonly startUpsMs: readonly number[];
}

/**
 * Which order this is. Of two orders the later one has the higher term, or the same term and the higher sequence: by that
 * a receiver knows what an earlier leader, which was held up, still orders, and refuses it.
 */
export interface Order {
  readonly stream: string;
  readonly group: string;
  /** The number of the leader that gives it; each later leader has a higher one. */
  readonly term: number;
  /** The number of the order among those of its leader, from 1. */
  readonly sequence: number;
}

/** Whether an order was given before another one: by an earlier leader, or earlier by the same. */
export function isEarlierOrder(
  order: Pick<Order, "term" | "sequence">,
  than: Pick<Order, "term" | "sequence">,
): boolean {
  return order.term === than.term ? order.sequence < than.sequence : order.term < than.term;
}

/** A consumer that is alive, as far as an executor that starts processes has to know. */
export interface PeerConsumer {
  /** The pool whose worker it is; `null`: nobody's. */
  readonly pool: string | null;
  /** Whether it is on its way out. */
  readonly isLeaving: boolean;
}

/** What the scaler sees around an executor. */
export interface ScalingContext {
  /** Every consumer whose lease is not over, those of other scalers' executors too. */
  readonly consumers: readonly PeerConsumer[];
  /** Consumers the group may have at most. */
  readonly maxConsumers: number;
  /** How long nobody else leads for sure, in milliseconds from now; 0 in a dry run. */
  readonly leadsForMs: number;
}

export interface Executor {
  /** What it is, for events and messages. */
  readonly name: string;
  /**
   * Looks at what there is. `null`: it does not know, and those consumers count that work. The scaler always says what it
   * sees around it.
   */
  status(signal: AbortSignal, context?: ScalingContext): Promise<Workforce | null>;
  /**
   * Told of every decision, also of one that moves nothing, before it is carried out; where another scaler leads, of the
   * leader's, at each look. For those that others ask how many there shall be. Must not throw.
   */
  onDecision?(decision: Decision): void;
  /**
   * Has there be `decision.desired` consumers. Resolves when that was ordered, not when they are there. Must not take
   * away a consumer before it has drained. `signal` aborts when the scaler ends, or may not lead any longer.
   */
  scale(decision: Decision, signal: AbortSignal, order: Order): Promise<void>;
  /** Told when another scaler leads from now on: what only this one knows of is to be brought to an end. */
  onLeadershipLost?(): Promise<void>;
}
