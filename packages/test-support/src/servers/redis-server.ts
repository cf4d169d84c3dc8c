import { type CommandArgument, type Reply } from "../wire/resp.ts";
import { roundTrip } from "../wire/round-trip.ts";
import {
  addressUrl,
  type ConnectionOptions,
  connectionOptions,
  parseAddress,
  type ServerAddress,
} from "../wire/server-address.ts";
import { findServer } from "./find-server.ts";
import { findFreePort } from "./free-port.ts";
import { OwnServer, type ServerCommand, type ServerOptions } from "./own-server.ts";

/** How often another process may take the free port first. */
const PORT_ATTEMPTS = 5;

/**
 * One real server for a test: with its own process, port and folder, removed when it is stopped, or when this process
 * ends. It can also represent a shared external server, which only allows data commands.
 *
 * @example
 * await using server = await RedisServer.start({ persistence: "aof" });
 * await server.command("XADD", "orders", "*", "amount", 12);
 * await server.kill();
 * await server.restart();
 */
export class RedisServer implements AsyncDisposable {
  readonly address: ServerAddress;
  /** A shared server that is not ours: it cannot be killed, restarted or frozen. */
  readonly external: boolean;
  readonly #own: OwnServer | undefined;

  private constructor(address: ServerAddress, own: OwnServer | undefined) {
    this.address = address;
    this.#own = own;
    this.external = own === undefined;
  }

  /**
   * Starts a new server, ready for commands.
   *
   * @throws {NoServerError} when there is none on this machine.
   * @throws {Error} with the server's log when it does not start; when only an external server is available.
   */
  static async start(options: ServerOptions = {}): Promise<RedisServer> {
    const source =
      options.source ?? (await findServer(options.version === undefined ? {} : { version: options.version }));
    if (source.kind === "external") {
      throw new Error("a test that starts its own server cannot run against the shared one of REDIS_BATCH_TEST_URL");
    }
    for (let attempt = 1; ; attempt += 1) {
      const port = options.listen === "socket" ? 0 : await findFreePort();
      const own = new OwnServer(source, options, port);
      try {
        await own.launch();
        return new RedisServer(own.address, own);
      } catch (cause) {
        await own.destroy();
        if (attempt === PORT_ATTEMPTS || !isPortTaken(own.log + String(cause))) throw cause;
      }
    }
  }

  /**
   * An external running server.
   *
   * @throws {Error} when the URL is no `redis://` address.
   */
  static external(url: string): RedisServer {
    return new RedisServer(parseAddress(url), undefined);
  }

  /** Such as `redis://127.0.0.1:10123`. With TLS the certificates are missing from it: take {@link options}. */
  get url(): string {
    return addressUrl(this.address);
  }

  /** Options for ioredis. */
  get options(): ConnectionOptions {
    return connectionOptions(this.address);
  }

  get host(): string {
    return this.address.host;
  }

  get port(): number {
    return this.address.port;
  }

  /** Everything the server has logged, over all its restarts; empty for an external one. */
  get log(): string {
    return this.#own?.log ?? "";
  }

  /** Its process; `undefined` when it is external, in a container, or not running. */
  get pid(): number | undefined {
    return this.#own?.pid;
  }

  get running(): boolean {
    return this.#own?.running ?? true;
  }

  /**
   * The same server as seen by one of its ACL users.
   *
   * @throws {Error} when it was started without such a user.
   */
  as(userName: string): { readonly url: string; readonly options: ConnectionOptions; readonly address: ServerAddress } {
    const address = this.#owned("knows its ACL users").addressOf(userName);
    return { address, url: addressUrl(address), options: connectionOptions(address) };
  }

  /**
   * Sends one command over a connection of its own, and reads the whole reply.
   *
   * @throws {ReplyError} when the reply is an error.
   */
  command(...args: readonly CommandArgument[]): Promise<Reply> {
    return roundTrip(this.address, args);
  }

  /** The fields of one section of INFO. */
  async info(section: string): Promise<Readonly<Record<string, string>>> {
    const text = String(await this.command("INFO", section));
    const fields = text.split("\r\n").filter((line) => line.includes(":"));
    return Object.fromEntries(fields.map((line) => line.split(/:(.*)/s, 2) as [string, string]));
  }

  /** Kills it with SIGKILL: clients get no notice, and nothing more is written to disk. */
  async kill(): Promise<void> {
    await this.#owned("can be killed").kill();
  }

  /**
   * Starts it again on the same port and the same folder; kills it first when it still runs. `edit` changes its data in
   * between, while nobody else can reach it: what another server would have left. It needs persistence.
   */
  async restart({ edit }: { readonly edit?: (command: ServerCommand) => Promise<void> } = {}): Promise<void> {
    const own = this.#owned("can be restarted");
    await own.kill();
    if (edit !== undefined) await own.edit(edit);
    await own.launch();
  }

  /** Freezes it (SIGSTOP): connections stay open, but it does not answer. */
  async freeze(): Promise<void> {
    await this.#owned("can be frozen").signal("SIGSTOP");
  }

  /** Lets a frozen server continue. */
  async thaw(): Promise<void> {
    await this.#owned("can be thawed").signal("SIGCONT");
  }

  /** Ends it and removes its folder. Does nothing to an external server, or the second time. */
  async stop(): Promise<void> {
    await this.#own?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #owned(ability: string): OwnServer {
    if (this.#own === undefined) throw new Error(`only a server of our own ${ability}; this one is shared`);
    return this.#own;
  }
}

/** The error texts of a server and of Docker if a port is in use. */
function isPortTaken(text: string): boolean {
  return /address already in use|port is already allocated/i.test(text);
}
