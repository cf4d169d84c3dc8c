import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { deferred } from "@redis-batch/testing/time";
import { type SeededRandom, seededRandom } from "../time/seeded-random.ts";
import { addressUrl, type ConnectionOptions, connectionOptions, type ServerAddress } from "../wire/server-address.ts";
import { type Direction, type Faults, NO_FAULTS } from "./faults.ts";
import { connectFaultyLine } from "./faulty-line.ts";

export interface FaultProxyOptions {
  /** Source of the jitter. */
  readonly seed?: number;
  /** The initial faults. */
  readonly faults?: Partial<Faults>;
}

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
}

interface Cut {
  readonly direction: Direction;
  remainingBytes: number;
  readonly done: () => void;
}

/**
 * A TCP proxy in front of a server. A test switches its faults while clients are connected.
 *
 * @example
 * await using proxy = await FaultProxy.start(server);
 * const lost = proxy.cut("reply", 0); // the next reply never arrives: was the command executed?
 * const client = new Redis(proxy.options);
 */
export class FaultProxy implements AsyncDisposable {
  readonly #target: ServerAddress;
  readonly #server: Server;
  readonly #random: SeededRandom;
  readonly #connections = new Set<Connection>();
  readonly #bytes = { request: 0, reply: 0 };
  #faults: Faults;
  #passable = Promise.resolve();
  #letPass: () => void = () => undefined;
  #cut: Cut | undefined;
  #accepted = 0;

  private constructor(target: ServerAddress, options: FaultProxyOptions) {
    this.#target = target;
    this.#random = seededRandom(options.seed ?? 1);
    this.#faults = NO_FAULTS;
    this.set(options.faults ?? {});
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port, in front of a server. */
  static async start(
    target: { readonly address: ServerAddress },
    options: FaultProxyOptions = {},
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target.address, options);
    const { promise, resolve, reject } = deferred<void>();
    proxy.#server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
    await promise;
    return proxy;
  }

  /** The server's address through the proxy. */
  get address(): ServerAddress {
    const { path: _path, ...rest } = this.#target;
    return { ...rest, host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  get url(): string {
    return addressUrl(this.address);
  }

  /** Options for ioredis. */
  get options(): ConnectionOptions {
    return connectionOptions(this.address);
  }

  get faults(): Faults {
    return this.#faults;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many connections there have been, without refused ones. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The bytes that have passed, over all connections. */
  get bytes(): Readonly<Record<Direction, number>> {
    return { ...this.#bytes };
  }

  /** Changes some faults, for open and new connections; the others are unchanged. */
  set(changes: Partial<Faults>): void {
    const wasBlackhole = this.#faults.blackhole;
    this.#faults = { ...this.#faults, ...changes };
    if (this.#faults.blackhole === wasBlackhole) return;
    if (this.#faults.blackhole) {
      const { promise, resolve } = deferred<void>();
      this.#passable = promise;
      this.#letPass = () => resolve();
    } else {
      this.#letPass();
      this.#passable = Promise.resolve();
    }
  }

  /** Removes all faults, and a cut that has not happened. Data that a black hole held is passed on. */
  heal(): void {
    this.#cut = undefined;
    this.set(NO_FAULTS);
  }

  /** Resets (RST) every open connection on both sides, as a dying gateway does. */
  reset(): void {
    for (const { client, upstream } of this.#connections) {
      resetSocket(client);
      resetSocket(upstream);
    }
  }

  /**
   * Lets that many more bytes of requests or replies pass (over all connections), then resets the connection in the
   * middle. With 0 the whole next request or reply is lost.
   *
   * @returns when it has happened.
   */
  cut(direction: Direction, afterBytes: number): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#cut = { direction, remainingBytes: afterBytes, done: () => resolve() };
    return promise;
  }

  /** Ends every connection and frees the port. */
  async stop(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#server.close(() => resolve());
    this.heal();
    for (const { client, upstream } of this.#connections) {
      client.destroy();
      upstream.destroy();
    }
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    if (this.#faults.refuse) {
      client.resetAndDestroy();
      return;
    }
    this.#accepted += 1;
    const { path, host, port } = this.#target;
    const common = { noDelay: true, allowHalfOpen: true };
    const upstream = connect(path === undefined ? { host, port, ...common } : { path, ...common });
    const connection = { client, upstream };
    this.#connections.add(connection);
    const closed = new AbortController();
    const end = () => {
      closed.abort();
      this.#connections.delete(connection);
      client.destroy();
      upstream.destroy();
    };
    // In a black hole one side does not notice the other's end.
    const relayEnd = (from: Socket, to: Socket) => {
      from.on("error", () => void this.#passable.then(() => resetSocket(to)));
      from.once("close", () => void this.#passable.then(end));
    };
    relayEnd(client, upstream);
    relayEnd(upstream, client);
    this.#connectLine("request", client, upstream, connection, closed.signal);
    this.#connectLine("reply", upstream, client, connection, closed.signal);
  }

  #connectLine(direction: Direction, from: Socket, to: Socket, connection: Connection, closed: AbortSignal): void {
    const owner = {
      faults: () => this.#faults,
      chance: () => this.#random.next(),
      passable: () => this.#passable,
      passed: (byteCount: number) => {
        this.#bytes[direction] += byteCount;
      },
      cutWithin: (byteCount: number) => this.#countDown(direction, byteCount),
      cut: () => {
        resetSocket(connection.client);
        resetSocket(connection.upstream);
        this.#cut?.done();
        this.#cut = undefined;
      },
    };
    connectFaultyLine(from, to, owner, closed);
  }

  #countDown(direction: Direction, byteCount: number): number | undefined {
    const cut = this.#cut;
    if (cut?.direction !== direction) return undefined;
    if (byteCount >= cut.remainingBytes) return cut.remainingBytes;
    cut.remainingBytes -= byteCount;
    return undefined;
  }
}

/** A unix socket has no RST: it is closed. */
function resetSocket(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
