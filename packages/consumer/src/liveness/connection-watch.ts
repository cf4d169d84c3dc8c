/** Knows whether both connections are up, and since when. */

import type { ConnectionRole } from "@redis-batch/core";
import type { ConnectionEvent } from "@redis-batch/core/internal/connection";
import type { Clock } from "@redis-batch/core/internal/service";
import type { ConsumerEvent } from "../events.ts";

export class ConnectionWatch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #report: (event: ConsumerEvent) => void;
  readonly #connected = new Set<ConnectionRole>();
  #connectedSinceMs: number | null = null;

  // It is made before the client, and so before any scope exists.
  constructor(clock: Clock, onChange: () => void, report: (event: ConsumerEvent) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
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
    this.#onChange();
  }
}
