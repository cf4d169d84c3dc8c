/** One connection for many services, such as the monitors of a dashboard: there may be a thousand streams. */
import { systemClock } from "../service/clock.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import type { RedisSource } from "./open-client.ts";
import { STAND_IN, type StandIn } from "./stand-in.ts";

type Report = (event: ConnectionEvent) => void;

export class SharedConnection {
  readonly #client: StreamClient;
  readonly #listeners = new Set<Report>();
  #isConnected = false;

  /** @param create makes the client, which reports to the function that it is given */
  constructor(create: (report: Report) => StreamClient) {
    this.#client = create((event) => {
      this.#isConnected = event.type === "connected";
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  get client(): StreamClient {
    return this.#client;
  }

  /** Whether the connection stands. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** What services take as `redis`: each believes that it has a client of its own. */
  get source(): RedisSource {
    const held: StandIn = { clock: systemClock, createClient: ({ report }) => this.#share(report ?? (() => {})) };
    return { [STAND_IN]: held };
  }

  #share(report: Report): StreamClient {
    const shared = this.#client;
    return new Proxy(shared, {
      get: (_target, name) => {
        if (name === "connect") return this.#join(report);
        if (name === "close") return async () => void this.#listeners.delete(report);
        const value: unknown = shared[name as keyof StreamClient];
        return typeof value === "function" ? (value.bind(shared) as unknown) : value;
      },
    });
  }

  #join(report: Report): StreamClient["connect"] {
    return async (roles, options) => {
      const isNew = !this.#listeners.has(report);
      const wasConnected = this.#isConnected;
      this.#listeners.add(report);
      await this.#client.connect(roles, options);
      // A visitor who joins later has not been told.
      if (isNew && wasConnected) report({ type: "connected", role: "commands" });
    };
  }
}
