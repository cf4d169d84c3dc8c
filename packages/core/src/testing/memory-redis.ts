import type { RedisBatchError } from "../errors/errors.ts";
import type { Clock } from "../service/clock.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import { type FaultMoment, type HeldCalls, MemoryFaults, type MemoryMethod } from "./memory-faults.ts";
import { MemoryKeyspace } from "./memory-keyspace.ts";
import { MemoryStreamClient } from "./memory-stream-client.ts";

export interface MemoryRedisOptions {
  /** Times out blocked reads, and moves the server's time on. */
  readonly clock: Clock;
  /** The server's time now, in milliseconds since 1970. */
  readonly serverTimeMs?: number;
}

export interface FaultOptions {
  /** `before` (default): not executed · `after`: executed, and the reply is what suffers. */
  readonly moment?: FaultMoment;
}

/** A Redis in memory: clients that share its data, and switches for what can go wrong. */
export interface MemoryRedis {
  /** What it holds, for a look or a change behind the clients' backs. */
  readonly keys: MemoryKeyspace;
  /** A new client, not connected. */
  client(options?: { readonly report?: (event: ConnectionEvent) => void }): StreamClient;
  /** Has the next calls of this method reject. */
  failNext(
    method: MemoryMethod,
    error: RedisBatchError,
    options?: FaultOptions & { /** How many calls; 1 by default. */ readonly times?: number },
  ): void;
  /** Has calls of this method wait, from now on and until released. */
  hold(method: MemoryMethod, options?: FaultOptions): HeldCalls;
  /** Cuts every client's reader connection: a read under way rejects, with an unknown outcome. */
  dropReaders(): void;
  /** Sets the server's clock forward, or back where it is negative, by so many milliseconds; it goes on from there. */
  jumpClock(byMs: number): void;
}

/**
 * Makes a Redis in memory that passes the conformance suite of the port. Commands run in the order of the calls, each
 * to its end; time passes only with the clock.
 */
export function createMemoryRedis({ clock, serverTimeMs = Date.UTC(2026, 0) }: MemoryRedisOptions): MemoryRedis {
  const startedAtMs = clock.nowMs();
  let jumpedMs = 0;
  const keys = new MemoryKeyspace(() => serverTimeMs + jumpedMs + Math.floor(clock.nowMs() - startedAtMs));
  const faults = new MemoryFaults();
  const clients: MemoryStreamClient[] = [];
  return {
    keys,
    client({ report = () => {} } = {}) {
      const client = new MemoryStreamClient(keys, faults, clock, report);
      clients.push(client);
      return client;
    },
    failNext(method, error, { times = 1, moment = "before" } = {}) {
      faults.fail(method, moment, error, times);
    },
    hold: (method, { moment = "before" } = {}) => faults.hold(method, moment),
    dropReaders() {
      for (const client of clients) client.dropReader();
    },
    jumpClock(byMs) {
      jumpedMs += byMs;
    },
  };
}
