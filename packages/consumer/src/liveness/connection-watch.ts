/** Knows whether both connections are up, and since when. */

import type { ConnectionRole } from "@redis-batch/core";
import type { ConnectionEvent } from "@redis-batch/core/internal/connection";
import type { Clock } from "@redis-batch/core/internal/service";
import type { ConsumerEvent } from "../events.ts";
import type { Signals } from "../signals.ts";

export class ConnectionWatch {
  readonly #clock: Clock;
  readonly #signals: Signals;
  readonly #report: (event: ConsumerEvent) => void;
  readonly #connected = new Set<ConnectionRole>();
  #connectedSinceMs: number | null = null;

  // It is made before the client, and so before the scope exists.
  constructor(clock: Clock, signals: Signals, report: (event: ConsumerEvent) => void) {
    this.#clock = clock;
    this.#signals = signals;
    this.#report = report;
  }

  get isConnected(): boolean {
    return this.#connected.has("commands") && this.#connected.has("reader");
  }

  /** Since when both connections have been up without a break, by the local clock; `null` while one is down. */
  get connectedSinceMs(): number | null {
    return this.#connectedSinceMs;
  }

  /** Takes in an event of the client's connections, and reports it. */
  take(event: ConnectionEvent): void {
    if (event.type === "connected") this.#connected.add(event.role);
    else this.#connected.delete(event.role);
    this.#connectedSinceMs = this.isConnected ? this.#clock.nowMs() : null;
    this.#report(event);
    this.#signals.intakeTouched.raise();
  }
}
