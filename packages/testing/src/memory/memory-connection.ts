import { ConnectionError, type ConnectionRole } from "@redis-batch/core";
import type { ConnectionEvent } from "@redis-batch/core/internal/connection";
import { onAbort } from "@redis-batch/core/internal/service";

/** A connection of the in-memory Redis. What is under way on it rejects when it is lost. */
export class MemoryConnection {
  readonly #role: ConnectionRole;
  readonly #report: (event: ConnectionEvent) => void;
  #epoch = 0;
  #isClosed = false;
  #current: AbortController | undefined;

  constructor(role: ConnectionRole, report: (event: ConnectionEvent) => void) {
    this.#role = role;
    this.#report = report;
  }

  /** Counts how often it was opened. */
  get epoch(): number {
    return this.#epoch;
  }

  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws {ConnectionError} when it was closed */
  open(): void {
    if (this.#isClosed) throw this.#notSent("connect");
    if (this.isOpen) return;
    this.#epoch++;
    this.#current = new AbortController();
    this.#report({ type: "connected", role: this.#role });
  }

  /**
   * Aborts, with the error for whatever is under way, when the connection is lost.
   *
   * @throws {ConnectionError} `not-sent`, when there is no connection
   */
  carry(command: string): AbortSignal {
    if (this.#current === undefined) throw this.#notSent(command);
    return this.#current.signal;
  }

  lose(reason: string): void {
    const lost = this.#current;
    if (lost === undefined) return;
    this.#current = undefined;
    lost.abort(new ConnectionError(`the connection failed: ${reason}`, { outcome: "unknown" }));
    this.#report({ type: "disconnected", role: this.#role, reason });
  }

  close(): void {
    this.#isClosed = true;
    this.lose("closed");
  }

  #notSent(command: string): ConnectionError {
    const why = this.#isClosed ? "it was closed" : "the server is away";
    return new ConnectionError(`${command}: not sent, ${why} (${this.#role} connection in memory)`, {
      outcome: "not-sent",
    });
  }
}

/** The value, unless the connection that carries it is lost first. */
export async function unlessLost<Value>(value: Value | Promise<Value>, connection: AbortSignal): Promise<Value> {
  let stopListening = (): void => {};
  const lost = new Promise<never>((_, reject) => {
    stopListening = onAbort(connection, (error) => reject(error));
  });
  try {
    return await Promise.race([value, lost]);
  } finally {
    stopListening();
  }
}
