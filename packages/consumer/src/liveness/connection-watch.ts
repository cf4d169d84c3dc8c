/** Knows which connections stand, and since when both have. */
import type { Clock, ConnectionEvent, ConnectionRole } from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import type { Signals } from "../signals.ts";

export class ConnectionWatch {
  readonly #clock: Clock;
  readonly #signals: Signals;
  readonly #report: (event: ConsumerEvent) => void;
  readonly #connected = new Set<ConnectionRole>();
  #connectedSinceMs: number | null = null;

  // Made before the client, and so before there is a scope.
  constructor(clock: Clock, signals: Signals, report: (event: ConsumerEvent) => void) {
    this.#clock = clock;
    this.#signals = signals;
    this.#report = report;
  }

  get isConnected(): boolean {
    return this.#connected.has("commands") && this.#connected.has("reader");
  }

  /** Since when both connections have stood without a break, by the local clock; `null` while one is down. */
  get connectedSinceMs(): number | null {
    return this.#connectedSinceMs;
  }

  /** Takes in what the client reports of its connections, and passes it on. */
  take(event: ConnectionEvent): void {
    if (event.type === "connected") this.#connected.add(event.role);
    else this.#connected.delete(event.role);
    this.#connectedSinceMs = this.isConnected ? this.#clock.nowMs() : null;
    this.#report(event);
    this.#signals.intakeTouched.raise();
  }
}
