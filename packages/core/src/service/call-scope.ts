import { UsageError } from "../errors/errors.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import type { Clock } from "./clock.ts";

/** A server that does not answer INFO within this, which every role may ask, is not waited for any longer. */
const SILENT_MS = 3_000;

/** State of a service that connects on first use. */
export type CallScopeEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  | { readonly type: "connectFailed"; readonly reason: string }
  | { readonly type: "closed" };

export interface CallScopeOptions {
  /** The error message of a call after `close()`, such as `"the monitor was closed"`. */
  readonly whenClosed: string;
  readonly createClient: (report: (event: ConnectionEvent) => void) => StreamClient;
  /** How long the first connection may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly report: (event: CallScopeEvent) => void;
}

/**
 * The calls of a service that connects on first use, and ends all calls before it closes its connection.
 *
 * | state  | means                                                | leaves by             |
 * |--------|------------------------------------------------------|-----------------------|
 * | idle   | not used yet, no connection                          | first use · `close()` |
 * | open   | was used; the connection comes back by itself        | `close()`             |
 * | closed | every call and run has ended, the connection is gone | –                     |
 */
export class CallScope {
  /** Created at once, but not connected, so that an unusable `redis` option is reported by the constructor. */
  readonly client: StreamClient;
  readonly #options: CallScopeOptions;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #isUsed = false;
  #isRunning = false;
  #closing: Promise<void> | undefined;

  constructor(options: CallScopeOptions) {
    this.#options = options;
    this.client = options.createClient((event) => this.#onConnection(event));
  }

  get state(): "idle" | "open" | "closed" {
    return this.#ending.signal.aborted ? "closed" : this.#isUsed ? "open" : "idle";
  }

  /** @throws {UsageError} after `close()` */
  assertOpen(): void {
    this.#ending.signal.throwIfAborted();
  }

  /**
   * Makes one call with a connection. Its signal aborts with the caller's, and when the service is closed.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`
   * @throws {UsageError} after `close()`
   */
  async use<Result>(signal: AbortSignal | undefined, call: (over: AbortSignal) => Promise<Result>): Promise<Result> {
    const ending = this.#ending.signal;
    const over = signal === undefined ? ending : AbortSignal.any([ending, signal]);
    over.throwIfAborted();
    this.#isUsed = true;
    const work = this.client
      .connect(["commands"], { timeoutMs: this.#options.connectTimeoutMs, signal: over })
      .then(() => {
        // It may have been aborted while connecting.
        over.throwIfAborted();
        return call(over);
      });
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /**
   * Makes a call that runs until its signal aborts. Only one may run at a time. An abort while it connects is not an
   * error.
   *
   * @throws {UsageError} while another one is running, and after `close()`
   */
  async run(signal: AbortSignal | undefined, call: (over: AbortSignal) => Promise<void>): Promise<void> {
    this.assertOpen();
    if (this.#isRunning) throw new UsageError("cannot run: another run is still active");
    this.#isRunning = true;
    try {
      await this.use(signal, call);
    } catch (error) {
      if (!signal?.aborted && !this.#ending.signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * Aborts the calls that are running, waits until they have ended, then closes the connection. Calls to a server that is
   * silent are not waited for: they end with the connection. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { whenClosed, report } = this.#options;
    this.#ending.abort(new UsageError(whenClosed));
    const ended = Promise.allSettled(this.#underWay);
    await (this.#underWay.size === 0 ? ended : Promise.race([ended, this.#whenSilent()]));
    await this.client.close();
    await ended;
    report({ type: "closed" });
  }

  /** Resolves if the server gives no answer now; any answer, a refusal too, is one. */
  #whenSilent(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(SILENT_MS, () => resolve());
      void this.client
        .info()
        .catch(() => {})
        .finally(cancel);
    });
  }

  #onConnection(event: ConnectionEvent): void {
    // Report our own close as such.
    if (this.#ending.signal.aborted) return;
    const { report } = this.#options;
    report(event.type === "connected" ? { type: "connected" } : { type: event.type, reason: event.reason });
  }
}
