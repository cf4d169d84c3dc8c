/**
 * Notices when the event loop was blocked, because a handler computed for long or the process was stopped: no lease is
 * renewed and no heartbeat sent meanwhile.
 */
import type { Clock } from "@redis-batch/core/internal/service";
import type { ConsumerEvent } from "../events.ts";

// This leaves time for the late renewal and its answer before the leases are in doubt.
const ALARMING_SHARE = 1 / 6;
// Often enough to see most of a delay, and too seldom to cost anything.
const TICK_SHARE = 1 / 60;
const SHORTEST_TICK_MS = 20;

export interface WatchedLoop {
  readonly clock: Clock;
  readonly policy: { readonly leaseMs: number };
  readonly report: (event: ConsumerEvent) => void;
}

export class LoopWatch {
  readonly #scope: WatchedLoop;
  #worstMs = 0;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = (): void => {};

  constructor(scope: WatchedLoop) {
    this.#scope = scope;
  }

  start(): void {
    const { clock, policy } = this.#scope;
    const tickMs = Math.max(SHORTEST_TICK_MS, policy.leaseMs * TICK_SHARE);
    const dueAtMs = clock.nowMs() + tickMs;
    this.#cancelTimer = clock.setTimer(tickMs, () => {
      const nowMs = clock.nowMs();
      this.#take(nowMs - dueAtMs, nowMs);
      this.start();
    });
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** Reports the worst delay since the last report, one report per lease at most. */
  #take(delayMs: number, nowMs: number): void {
    const { policy, report } = this.#scope;
    if (delayMs > policy.leaseMs * ALARMING_SHARE) this.#worstMs = Math.max(this.#worstMs, delayMs);
    if (this.#worstMs === 0 || nowMs < this.#quietUntilMs) return;
    const worstMs = this.#worstMs;
    this.#worstMs = 0;
    this.#quietUntilMs = nowMs + policy.leaseMs;
    report({ type: "eventLoopDelayed", delayMs: worstMs });
  }
}
