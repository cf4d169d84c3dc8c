/**
 * One connection of one role: opened once, coming back by itself, sending each command at most once.
 *
 * | state        | a command …                          | leaves by                  |
 * |--------------|--------------------------------------|----------------------------|
 * | not ready    | rejects, `not-sent`                  | ready · closed             |
 * | misplaced    | rejects, `not-sent`                  | connection lost · closed   |
 * | ready        | is written to the socket at once     | connection lost · closed   |
 * | closed       | rejects, `not-sent`                  | –                          |
 */
import { type Cluster, Command, Redis } from "ioredis";
import type { Clock } from "../clock.ts";
import { ConfigError, ConnectionError, PermissionError, type RedisBatchError } from "../errors.ts";
import { onAbort } from "../signals.ts";
import type { ConnectionEvent, ConnectionRole } from "../stream-client.ts";
import type { Argument } from "../wire/command.ts";
import { translateError } from "./translate-error.ts";
import { type CallEnd, writeTogether } from "./write-together.ts";

export class Connection {
  readonly #client: Redis | Cluster;
  readonly #role: ConnectionRole;
  readonly #clock: Clock;
  #epoch = 0;
  #isReady = false;
  #isClosed = false;
  // In another database than the one that was asked for: ioredis goes on in database 0.
  #isMisplaced = false;
  #lastError: RedisBatchError | undefined;
  readonly #changes = new Set<() => void>();

  constructor(client: Redis | Cluster, role: ConnectionRole, clock: Clock, report: (event: ConnectionEvent) => void) {
    this.#client = client;
    this.#role = role;
    this.#clock = clock;
    client.on("ready", () => {
      if (this.#isMisplaced) return;
      this.#epoch++;
      this.#isReady = true;
      this.#lastError = undefined;
      this.#announce();
      report({ type: "connected", role });
    });
    client.on("error", (error: unknown) => {
      const database = refusedDatabase(error);
      this.#isMisplaced ||= database !== undefined;
      const translated = translateError(error, "connect");
      // A missing right to SELECT stays what it is.
      this.#lastError =
        database === undefined || PermissionError.is(translated)
          ? translated
          : new ConfigError("redis", [`the server has no database ${database}: ${translated.message}`]);
      this.#announce();
    });
    client.on("close", () => {
      endWatch(client);
      this.#isMisplaced = false;
      if (!this.#isReady) return;
      this.#isReady = false;
      this.#announce();
      report({ type: "disconnected", role, reason: this.#isClosed ? "closed" : (this.#describeLastError() ?? "lost") });
    });
  }

  /** Counts the times this connection became usable. */
  get epoch(): number {
    return this.#epoch;
  }

  // The client's events come a moment after its status has changed; what is sent in between must not wait in a queue.
  get #isUsable(): boolean {
    return this.#isReady && !this.#isClosed && this.#client.status === "ready";
  }

  /** Waits until the connection is usable; opens it the first time. */
  async ready(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#isClosed) throw this.#notConnected("it was closed");
    if (this.#isReady) return;
    signal?.throwIfAborted();
    // What was refused before may be granted by now: the next attempt tells.
    if (isFinal(this.#lastError)) this.#lastError = undefined;
    if (this.#isMisplaced) this.#client.disconnect(true);
    // The outcome arrives as events; a first attempt that fails is repeated like any other.
    if (this.#client.status === "wait") this.#client.connect().catch(() => {});
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.#isReady) return finish(resolve);
        if (this.#isClosed) return finish(() => reject(this.#notConnected("it was closed")));
        // Another attempt with the same password, or the same database, would end the same.
        const error = this.#lastError;
        if (isFinal(error)) finish(() => reject(error));
      };
      const finish = (settle: () => void): void => {
        this.#changes.delete(look);
        cancelTimer();
        stopListening();
        settle();
      };
      const cancelTimer = this.#clock.setTimer(timeoutMs, () =>
        finish(() => reject(this.#notConnected(`no connection within ${timeoutMs} ms`))),
      );
      const stopListening = onAbort(signal, (reason) => finish(() => reject(reason)));
      this.#changes.add(look);
      look();
    });
  }

  /**
   * Sends one command and resolves with its raw reply: Buffers, numbers, null, arrays. Errors name it as `operation`,
   * where it is part of something larger.
   */
  async call(command: string, args: readonly Argument[], operation: string = command): Promise<unknown> {
    if (!this.#isUsable) throw this.#notConnected(this.#why(), operation);
    try {
      return await this.#client.callBuffer(command, ...args);
    } catch (error) {
      throw translateError(error, operation);
    }
  }

  /** The servers behind it, for what names no key: the masters of a Cluster, in a lasting order, or the only one. */
  get servers(): readonly ((command: string, args: readonly Argument[]) => Promise<unknown>)[] {
    if (!this.#client.isCluster) return [(command, args) => this.call(command, args)];
    const address = ({ options: { host, port } }: Redis): string => `${host ?? ""}:${port ?? 0}`;
    const nodes = (this.#client as Cluster).nodes("master");
    return nodes
      .toSorted((left, right) => (address(left) < address(right) ? -1 : 1))
      .map((node) => async (command, args) => {
        if (!this.#isUsable) throw this.#notConnected(this.#why(), command);
        try {
          return await node.callBuffer(command, ...args);
        } catch (error) {
          throw translateError(error, command);
        }
      });
  }

  /** Sends many calls of one command at once. Each has its own end: the raw reply, or its error. */
  async callMany(command: string, calls: readonly (readonly Argument[])[]): Promise<readonly CallEnd[]> {
    if (calls.length === 0) return [];
    if (!this.#isUsable) {
      const error = this.#notConnected(this.#why(), command);
      return calls.map(() => ({ reply: undefined, error }));
    }
    if (this.#client instanceof Redis) return writeTogether(this.#client, Command, command, calls);
    // A Cluster may have to send each somewhere else, and another copy of ioredis has a class of commands of its own.
    const replies = await Promise.allSettled(
      this.#inOnePiece(() => calls.map((args) => this.#client.callBuffer(command, ...args))),
    );
    return replies.map((end) =>
      end.status === "fulfilled"
        ? { reply: end.value, error: undefined }
        : { reply: undefined, error: translateError(end.reason, command) },
    );
  }

  /** Lets what is written meanwhile leave together: a system call for each command would cost more than the command. */
  #inOnePiece<Result>(write: () => Result): Result {
    const socket = this.#client.isCluster ? undefined : (this.#client as Redis).stream;
    socket?.cork();
    try {
      return write();
    } finally {
      socket?.uncork();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    const isInUse = this.#isUsable;
    this.#isClosed = true;
    this.#client.disconnect();
    if (!isInUse) endSocket(this.#client);
    this.#announce();
  }

  #announce(): void {
    for (const look of [...this.#changes]) look();
  }

  #why(): string {
    return this.#isClosed ? "it was closed" : "the server is away";
  }

  #describeLastError(): string | undefined {
    return this.#lastError?.cause instanceof Error ? this.#lastError.cause.message : this.#lastError?.message;
  }

  #notConnected(why: string, command = "connect"): ConnectionError {
    const last = this.#describeLastError();
    return new ConnectionError(
      `${command}: not sent, ${why} (${this.#role} connection to ${describeAddress(this.#client)}${last === undefined ? "" : `; last error: ${last}`})`,
      { outcome: "not-sent", cause: this.#lastError },
    );
  }
}

function isFinal(error: RedisBatchError | undefined): error is RedisBatchError {
  return PermissionError.is(error) || ConfigError.is(error);
}

/** Which database the server refused to change to, where that is what went wrong. */
function refusedDatabase(error: unknown): string | undefined {
  if (!(error instanceof Error && error.name === "ReplyError")) return undefined;
  const { command } = error as { readonly command?: { readonly name?: string; readonly args?: readonly unknown[] } };
  return command?.name === "select" ? String(command.args?.[0]) : undefined;
}

/**
 * Ends at once what is left of a connection that was not in use. ioredis gives the other side two seconds to end it as
 * well, which keep the process: where the server is silent, and even where there is no socket any more. (What a Cluster
 * and Sentinel use for their own ends is out of reach.)
 */
function endSocket(client: Redis | Cluster): void {
  const { stream } = client as Partial<Pick<Redis, "stream">>;
  stream?.destroy();
  // It had ended before ioredis began to wait for that, and would not tell again by itself.
  if (stream?.closed) stream.emit("close");
}

/** ioredis 5 goes on to watch over the silence of a connection that has ended, and then ends the next one for it. */
function endWatch(client: Redis | Cluster): void {
  clearTimeout(Reflect.get(client, "socketTimeoutTimer") as NodeJS.Timeout | undefined);
  Reflect.set(client, "socketTimeoutTimer", undefined);
}

/** Host and port, or what stands for them; never user or password. */
function describeAddress(client: Redis | Cluster): string {
  if (client.isCluster) return "the cluster";
  const { path, host, port, sentinels, name } = (client as Redis).options;
  if (sentinels !== null && sentinels !== undefined) return `"${name ?? ""}" by Sentinel`;
  return path ?? `${host ?? "localhost"}:${port ?? 6379}`;
}
