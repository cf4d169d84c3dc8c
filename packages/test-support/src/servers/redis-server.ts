import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deferred } from "../time/deferred.ts";
import { eventually } from "../time/eventually.ts";
import { type CommandArgument, type Reply, ReplyError } from "../wire/resp.ts";
import { roundTrip } from "../wire/round-trip.ts";
import {
  addressUrl,
  type ConnectionOptions,
  connectionOptions,
  parseAddress,
  type ServerAddress,
} from "../wire/server-address.ts";
import { testCertificates } from "./certificates.ts";
import { ContainerProcess } from "./container-process.ts";
import { findServer, type ServerSource } from "./find-server.ts";
import { findFreePort } from "./free-port.ts";
import { LocalProcess } from "./local-process.ts";
import { createScratchFolder, removeScratchFolder } from "./scratch-folder.ts";
import { type AclUser, type Persistence, type ServerSettings, serverConfig, type TlsMode } from "./server-config.ts";
import type { ServerProcess } from "./server-process.ts";
import type { ServerVersion } from "./server-versions.ts";

export interface ServerOptions {
  /** Exactly this version. By default what {@link findServer} finds. */
  readonly version?: ServerVersion;
  /** Where the program comes from, when it was found before. */
  readonly source?: ServerSource;
  /** A port of its own on 127.0.0.1 (the default), or a unix socket. */
  readonly listen?: "tcp" | "socket";
  /** What a crash leaves: by default nothing. */
  readonly persistence?: Persistence;
  /** Follow this server. */
  readonly replicaOf?: RedisServer;
  /** ACL users; naming `default` takes away what it may do otherwise. */
  readonly users?: readonly AclUser[];
  /** The user {@link RedisServer.url} and {@link RedisServer.command} speak as: `default` unless said otherwise. */
  readonly speakAs?: string;
  readonly tls?: TlsMode;
  /** Further lines of the configuration file, word for word. */
  readonly config?: readonly string[];
  /** Lines that make this a Sentinel instead of a data server; see startSentinel. */
  readonly sentinelConfig?: readonly string[];
}

const START_LIMIT_MS = 15_000;
/** How often somebody may be quicker in taking the port that was just found free. */
const PORT_ATTEMPTS = 5;

/**
 * One real server for a test: its own process, port and folder, gone when it is stopped and at the latest when this
 * process ends. It can also stand for somebody else's server, which is shared and only lends its data commands.
 *
 * @example
 * await using server = await RedisServer.start({ persistence: "aof" });
 * await server.command("XADD", "orders", "*", "amount", 12);
 * await server.kill();
 * await server.restart();
 */
export class RedisServer implements AsyncDisposable {
  readonly address: ServerAddress;
  /** Shared and not ours: it cannot be killed, restarted or frozen. */
  readonly external: boolean;
  readonly #own: OwnServer | undefined;

  private constructor(address: ServerAddress, own: OwnServer | undefined) {
    this.address = address;
    this.#own = own;
    this.external = own === undefined;
  }

  /**
   * Starts a server of its own, ready for commands.
   *
   * @throws {NoServerError} when there is none on this machine.
   * @throws {Error} with the server's log when it does not start; when only an external server is at hand.
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
   * Somebody else's running server.
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

  /** Kills it with SIGKILL: no farewell to clients, nothing more to disk. */
  async kill(): Promise<void> {
    await this.#owned("can be killed").kill();
  }

  /** Starts it again on the same port and the same folder; kills it first when it still runs. */
  async restart(): Promise<void> {
    const own = this.#owned("can be restarted");
    await own.kill();
    await own.launch();
  }

  /** Stops it in its tracks (SIGSTOP): connections stay open, and nothing answers. */
  async freeze(): Promise<void> {
    await this.#owned("can be frozen").signal("SIGSTOP");
  }

  /** Lets a frozen server go on. */
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

/** The process behind a server that we started, with its folder and configuration. */
class OwnServer {
  readonly address: ServerAddress;
  log = "";
  readonly #source: Exclude<ServerSource, { kind: "external" }>;
  readonly #options: ServerOptions;
  readonly #folder: string;
  readonly #configPath: string;
  #process: ServerProcess | undefined;
  #logged: () => void = () => undefined;

  constructor(source: Exclude<ServerSource, { kind: "external" }>, options: ServerOptions, port: number) {
    this.#source = source;
    this.#options = options;
    this.#folder = createScratchFolder();
    this.#configPath = join(this.#folder, "server.conf");
    this.address = this.#speaker(port);
    writeFileSync(this.#configPath, serverConfig(this.#settings(port)));
  }

  get pid(): number | undefined {
    return this.#process instanceof LocalProcess && this.running ? this.#process.pid : undefined;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  addressOf(userName: string): ServerAddress {
    const user = this.#options.users?.find(({ name }) => name === userName);
    if (user === undefined) throw new Error(`the server was started without an ACL user "${userName}"`);
    const { username: _username, password: _password, ...place } = this.address;
    return { ...place, username: user.name, ...(user.password === undefined ? {} : { password: user.password }) };
  }

  /** Starts the program and waits until it answers. */
  async launch(): Promise<void> {
    const before = this.log.length;
    this.#process = await this.#startProcess();
    await this.#awaitReadyLine(this.#process, before);
    await eventually(`${this.#source.kind} server answers PING`, () => this.#answers(), { timeoutMs: START_LIMIT_MS });
  }

  async signal(name: "SIGSTOP" | "SIGCONT"): Promise<void> {
    await this.#process?.signal(name);
  }

  async kill(): Promise<void> {
    if (this.#process === undefined || !this.#process.running) return;
    await this.#process.signal("SIGKILL");
    await this.#process.exited;
  }

  async destroy(): Promise<void> {
    await this.kill();
    removeScratchFolder(this.#folder);
  }

  async #startProcess(): Promise<ServerProcess> {
    const log = (text: string) => {
      this.log += text;
      this.#logged();
    };
    const args = [this.#configPath, ...(this.#options.sentinelConfig === undefined ? [] : ["--sentinel"])];
    if (this.#source.kind === "binary") return new LocalProcess(this.#source.path, args, log);
    const { image } = this.#source;
    const program = image.includes("valkey") ? "valkey-server" : "redis-server";
    const { port } = this.address;
    const readFolders = this.#options.tls === undefined ? [] : [testCertificates().folder];
    const settings = { image, command: [program, ...args], folder: this.#folder, readFolders, port };
    return ContainerProcess.start(settings, log);
  }

  /** Our own process says so, before anybody is asked: on this port somebody else's server might answer. */
  async #awaitReadyLine(process: ServerProcess, logStart: number): Promise<void> {
    const ready = this.#options.sentinelConfig === undefined ? /ready to accept connections/i : /Sentinel ID is/;
    const isReady = () => ready.test(this.log.slice(logStart));
    const { promise, resolve, reject } = deferred<void>();
    const fail = (what: string) => reject(new Error(`the test server ${what}; its log:\n${this.log.slice(-2_000)}`));
    const limit = setTimeout(() => fail(`was not ready after ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    this.#logged = () => isReady() && resolve();
    this.#logged();
    void process.exited.then((how) => fail(`ended (${how})`));
    await promise.finally(() => clearTimeout(limit));
  }

  async #answers(): Promise<boolean> {
    try {
      return (await roundTrip(this.address, ["PING"])) === "PONG";
    } catch (cause) {
      // It answers; that this user may do nothing is what the test asked for.
      if (cause instanceof ReplyError && ["NOAUTH", "WRONGPASS", "NOPERM"].includes(cause.code)) return true;
      throw cause;
    }
  }

  #speaker(port: number): ServerAddress {
    const { listen, users = [], speakAs, tls } = this.#options;
    const user = users.find(({ name }) => name === (speakAs ?? "default"));
    if (speakAs !== undefined && user === undefined) throw new Error(`speakAs: there is no ACL user "${speakAs}"`);
    return {
      host: "127.0.0.1",
      port,
      ...(listen === "socket" ? { path: join(this.#folder, "socket") } : {}),
      ...(user?.password === undefined ? {} : { username: user.name, password: user.password }),
      ...(tls === undefined ? {} : { tls: clientTls(tls) }),
    };
  }

  #settings(port: number): ServerSettings {
    const { users = [], persistence = "none", config = [], tls, replicaOf, sentinelConfig } = this.#options;
    const inContainer = this.#source.kind === "docker";
    if (inContainer && (replicaOf !== undefined || sentinelConfig !== undefined)) {
      throw new Error("servers that talk to each other do not run in containers here: install redis-server");
    }
    const { path } = this.address;
    return {
      folder: this.#folder,
      // Docker forwards the port from 127.0.0.1 outside to the container's own interface.
      listen:
        path === undefined
          ? { kind: "tcp", port, bind: inContainer ? "0.0.0.0" : "127.0.0.1" }
          : { kind: "socket", path },
      persistence,
      users,
      config,
      ...(tls === undefined ? {} : { tls: { mode: tls, certificates: testCertificates() } }),
      ...(replicaOf === undefined ? {} : { replicaOf: replicaOf.address }),
      ...(sentinelConfig === undefined ? {} : { sentinel: sentinelConfig }),
    };
  }
}

/** What a server says when its port is taken, and what Docker says. */
function isPortTaken(text: string): boolean {
  return /address already in use|port is already allocated/i.test(text);
}

function clientTls(mode: TlsMode): NonNullable<ServerAddress["tls"]> {
  const { ca, cert, key } = testCertificates();
  return mode === "mutual" ? { ca, cert, key } : { ca };
}
