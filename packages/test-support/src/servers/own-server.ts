import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterFairMs, deferred } from "@redis-batch/testing/time";
import { eventually } from "../time/eventually.ts";
import { type CommandArgument, type Reply, ReplyError } from "../wire/resp.ts";
import { roundTrip } from "../wire/round-trip.ts";
import type { ServerAddress } from "../wire/server-address.ts";
import { testCertificates } from "./certificates.ts";
import { ContainerProcess } from "./container-process.ts";
import type { ServerSource } from "./find-server.ts";
import { LocalProcess } from "./local-process.ts";
import { createScratchFolder, removeScratchFolder } from "./scratch-folder.ts";
import { type AclUser, type Persistence, type ServerSettings, serverConfig, type TlsMode } from "./server-config.ts";
import type { ServerProcess } from "./server-process.ts";
import type { ServerVersion } from "./server-versions.ts";

export interface ServerOptions {
  /** Exactly this version. Default: what `findServer` finds. */
  readonly version?: ServerVersion;
  /** The source of the program, if it was already found. */
  readonly source?: ServerSource;
  /** A port of its own on 127.0.0.1 (the default), or a unix socket. */
  readonly listen?: "tcp" | "socket";
  /** What survives a crash: by default nothing. */
  readonly persistence?: Persistence;
  /** Follow this server. */
  readonly replicaOf?: { readonly address: ServerAddress };
  /** ACL users; naming `default` replaces its rights. */
  readonly users?: readonly AclUser[];
  /** The user of `url` and `command`; default: `default`. */
  readonly speakAs?: string;
  readonly tls?: TlsMode;
  /** Further lines of the configuration file, word for word. */
  readonly config?: readonly string[];
  /** Lines that make this a Sentinel instead of a data server; see startSentinel. */
  readonly sentinelConfig?: readonly string[];
}

/** Sends one command over a connection of its own, and reads the whole reply. */
export type ServerCommand = (...args: readonly CommandArgument[]) => Promise<Reply>;

/** A source we may start servers from. */
export type OwnSource = Exclude<ServerSource, { kind: "external" }>;

const START_LIMIT_MS = 60_000;

/** The process behind a server that we started, with its folder and configuration. */
export class OwnServer {
  readonly address: ServerAddress;
  log = "";
  readonly #source: OwnSource;
  readonly #options: ServerOptions;
  readonly #folder: string;
  readonly #configPath: string;
  #process: ServerProcess | undefined;
  #logged: () => void = () => undefined;

  constructor(source: OwnSource, options: ServerOptions, port: number) {
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

  /**
   * Starts the program where no client can reach it, edits its data, and stops it again, with everything on disk.
   * Only for a program of this machine with persistence.
   */
  async edit(change: (command: ServerCommand) => Promise<void>): Promise<void> {
    if (this.#source.kind !== "binary") throw new Error("the data of a server in a container cannot be edited");
    const path = join(this.#folder, "private");
    const address: ServerAddress = { ...this.address, path };
    const command: ServerCommand = (...args) => roundTrip(address, args);
    const before = this.log.length;
    this.#process = await this.#startProcess(["--port", "0", "--unixsocket", path]);
    await this.#awaitReadyLine(this.#process, before);
    await change(command);
    const isWritten = async (): Promise<boolean> => {
      const info = String(await command("INFO", "persistence"));
      return /aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info);
    };
    // A rewrite by the server itself may have begun before the change, and prevents another one.
    await command("CONFIG", "SET", "auto-aof-rewrite-percentage", 0);
    await eventually("no rewrite is at work", isWritten, { timeoutMs: START_LIMIT_MS });
    await command("BGREWRITEAOF");
    await eventually("the edited data is on disk", isWritten, { timeoutMs: START_LIMIT_MS });
    await this.kill();
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

  async #startProcess(more: readonly string[] = []): Promise<ServerProcess> {
    const log = (text: string) => {
      this.log += text;
      this.#logged();
    };
    const args = [this.#configPath, ...(this.#options.sentinelConfig === undefined ? [] : ["--sentinel"]), ...more];
    if (this.#source.kind === "binary") return new LocalProcess(this.#source.path, args, log);
    const { image } = this.#source;
    const program = image.includes("valkey") ? "valkey-server" : "redis-server";
    const { port } = this.address;
    const readFolders = this.#options.tls === undefined ? [] : [testCertificates().folder];
    const settings = { image, command: [program, ...args], folder: this.#folder, readFolders, port };
    return ContainerProcess.start(settings, log);
  }

  /** Checks our own process first: on this port another server might answer. */
  async #awaitReadyLine(process: ServerProcess, logStart: number): Promise<void> {
    const ready = this.#options.sentinelConfig === undefined ? /ready to accept connections/i : /Sentinel ID is/;
    const isReady = () => ready.test(this.log.slice(logStart));
    const { promise, resolve, reject } = deferred<void>();
    const fail = (what: string) => reject(new Error(`the test server ${what}; its log:\n${this.log.slice(-2_000)}`));
    const callOff = afterFairMs(START_LIMIT_MS, () => fail(`was not ready after ${START_LIMIT_MS} ms`));
    this.#logged = () => isReady() && resolve();
    this.#logged();
    void process.exited.then((how) => fail(`ended (${how})`));
    await promise.finally(callOff);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await roundTrip(this.address, ["PING"])) === "PONG";
    } catch (cause) {
      // It answers; the test wants this user to have no rights.
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

function clientTls(mode: TlsMode): NonNullable<ServerAddress["tls"]> {
  const { ca, cert, key } = testCertificates();
  return mode === "mutual" ? { ca, cert, key } : { ca };
}
