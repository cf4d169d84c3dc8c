/** Executors carry out decisions: a process pool, an orchestrator, a command. */

import type { Decision } from "./decisions/decision.ts";

/** The current consumers, as the executor knows them. */
export interface Workforce {
  /** Consumers that were ordered. */
  readonly desired: number;
  /**
   * Those that are ready; `null`: it only knows how many were ordered. Then active consumers are counted and start-up
   * times are measured by them, and the two fields below are ignored.
   */
  readonly ready: number | null;
  /** How long ago each consumer that is not ready yet was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  /** The latest start-up times, from the order until ready, in milliseconds, the newest last. */
  readonly startUpsMs: readonly number[];
}

/**
 * The number of an order. Of two orders the later one has the higher term, or the same term and the higher sequence. So a
 * receiver can recognise and refuse late orders of an earlier leader.
 */
export interface Order {
  readonly stream: string;
  readonly group: string;
  /** The term of the leader that gives it; each later leader has a higher one. */
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

/** A live consumer, as an executor that starts processes needs to know it. */
export interface PeerConsumer {
  /** The process pool that started it; `null`: none. */
  readonly pool: string | null;
  /** Whether it is stopping. */
  readonly isLeaving: boolean;
}

/** What the scaler tells an executor about the group. */
export interface ScalingContext {
  /** Every consumer whose lease has not expired, including those of other scalers' executors. */
  readonly consumers: readonly PeerConsumer[];
  /** Maximum number of consumers in the group. */
  readonly maxConsumers: number;
  /** How long this scaler certainly leads, in milliseconds from now; 0 in a dry run. */
  readonly leadsForMs: number;
}

export interface Executor {
  /** Its name, for events and messages. */
  readonly name: string;
  /**
   * Reports the current consumers. `null`: it does not know, so active consumers are counted. The scaler always passes
   * what it knows about the group.
   */
  status(signal: AbortSignal, context?: ScalingContext): Promise<Workforce | null>;
  /**
   * Called with every decision before it is carried out, even if it changes nothing; while another scaler leads, with the
   * leader's decision at each pass. For executors that publish the wanted number. Must not throw.
   */
  onDecision?(decision: Decision): void;
  /**
   * Scales to `decision.desired` consumers. Resolves when that was ordered, not when they are ready. Must not remove a
   * consumer before it has drained. `signal` aborts when the scaler ends, or may no longer lead.
   */
  scale(decision: Decision, signal: AbortSignal, order: Order): Promise<void>;
  /** Called when another scaler takes the lead: workers that only this executor knows must be drained. */
  onLeadershipLost?(): Promise<void>;
}
