import type { ConnectionRole, RedisBatchError } from "@redis-batch/core";
import type { ConnectionEvent, StreamClient } from "@redis-batch/core/internal/connection";
import type { Clock } from "@redis-batch/core/internal/service";
import { type FaultMoment, type FaultyCalls, type HeldCalls, MemoryFaults } from "./memory-faults.ts";
import { MemoryKeyspace } from "./memory-keyspace.ts";
import { MemoryStreamClient } from "./memory-stream-client.ts";

export interface MemoryServerOptions {
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
export interface MemoryServer {
  /** What it holds, for a look or a change behind the clients' backs. */
  readonly keys: MemoryKeyspace;
  /** A new client, not connected. */
  client(options?: { readonly report?: ((event: ConnectionEvent) => void) | undefined }): StreamClient;
  /** Has the next of these calls reject. */
  failNext(
    calls: FaultyCalls,
    error: RedisBatchError,
    options?: FaultOptions & { /** How many calls; 1 by default. */ readonly times?: number },
  ): void;
  /** Has these calls wait, from now on and until released. */
  hold(calls: FaultyCalls, options?: FaultOptions): HeldCalls;
  /** Cuts every client's connection of this role: what is under way rejects, with an unknown outcome. */
  drop(role: ConnectionRole): void;
  /** Sets the server's clock forward by this many milliseconds, or back if negative; it runs on from there. */
  jumpClock(byMs: number): void;
}

/**
 * Makes a Redis in memory that passes the conformance suite of the port. Commands run in the order of the calls, each
 * to its end; time passes only with the clock.
 */
export function createMemoryServer({ clock, serverTimeMs = Date.UTC(2026, 0) }: MemoryServerOptions): MemoryServer {
  const startedAtMs = clock.nowMs();
  let jumpedMs = 0;
  const keys = new MemoryKeyspace(() => serverTimeMs + jumpedMs + Math.floor(clock.nowMs() - startedAtMs));
  const faults = new MemoryFaults();
  const clients = new Set<MemoryStreamClient>();
  return {
    keys,
    client({ report = () => {} } = {}) {
      // One that is closed must not be kept alive, and with it its service, as long as the data.
      const client = new MemoryStreamClient(keys, faults, clock, report, () => void clients.delete(client));
      clients.add(client);
      return client;
    },
    failNext(calls, error, { times = 1, moment = "before" } = {}) {
      faults.fail(calls, moment, error, times);
    },
    hold: (calls, { moment = "before" } = {}) => faults.hold(calls, moment),
    drop(role) {
      for (const client of clients) client.drop(role);
    },
    jumpClock(byMs) {
      jumpedMs += byMs;
    },
  };
}
