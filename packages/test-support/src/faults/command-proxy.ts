import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { deferred } from "@redis-batch/testing/time";
import { encodeCommand } from "../wire/resp.ts";
import { addressUrl, type ConnectionOptions, connectionOptions, type ServerAddress } from "../wire/server-address.ts";

/** What a proxy passes on instead of a command: its words, the first in lower case. */
export type RewriteCommand = (
  words: readonly [name: string, ...args: readonly Buffer[]],
) => readonly (string | Buffer)[];

/**
 * A proxy in front of a server that parses commands, as proxies of Redis do, and changes some. Replies pass unchanged.
 *
 * @example
 * await using proxy = await CommandProxy.start(server, ([name, ...args]) => (name === "client" ? ["no-such"] : [name, ...args]));
 */
export class CommandProxy implements AsyncDisposable {
  readonly #target: ServerAddress;
  readonly #rewrite: RewriteCommand;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: ServerAddress, rewrite: RewriteCommand) {
    this.#target = target;
    this.#rewrite = rewrite;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port, in front of a server. */
  static async start(target: { readonly address: ServerAddress }, rewrite: RewriteCommand): Promise<CommandProxy> {
    const proxy = new CommandProxy(target.address, rewrite);
    const { promise, resolve, reject } = deferred<void>();
    proxy.#server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
    await promise;
    return proxy;
  }

  /** The server's address through the proxy. */
  get address(): ServerAddress {
    return { ...this.#target, host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  get url(): string {
    return addressUrl(this.address);
  }

  /** Options for ioredis. */
  get options(): ConnectionOptions {
    return connectionOptions(this.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  #accept(client: Socket): void {
    const { host, port } = this.#target;
    const server = connect({ host, port, noDelay: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      // When one side ends, the other ends as well, whatever the reason.
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    server.on("data", (bytes) => client.write(bytes));
    let received: Buffer = Buffer.alloc(0);
    client.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      for (let next = readCommand(received); next !== undefined; next = readCommand(received)) {
        const [name = Buffer.alloc(0), ...args] = next.words;
        server.write(encodeCommand(this.#rewrite([String(name).toLowerCase(), ...args])));
        received = received.subarray(next.end);
      }
    });
  }
}

/** The command at the start of the bytes; `undefined` if it is not complete yet. */
function readCommand(bytes: Buffer): { readonly words: readonly Buffer[]; readonly end: number } | undefined {
  const header = readHeader(bytes, 0);
  if (header === undefined) return undefined;
  const words: Buffer[] = [];
  let at = header.end;
  for (let word = 0; word < header.count; word++) {
    const length = readHeader(bytes, at);
    if (length === undefined || bytes.length < length.end + length.count + 2) return undefined;
    words.push(bytes.subarray(length.end, length.end + length.count));
    at = length.end + length.count + 2;
  }
  return { words, end: at };
}

function readHeader(bytes: Buffer, start: number): { readonly count: number; readonly end: number } | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  return lineEnd < 0 ? undefined : { count: Number(bytes.toString("latin1", start + 1, lineEnd)), end: lineEnd + 2 };
}
