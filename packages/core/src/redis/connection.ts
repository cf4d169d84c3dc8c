/**
 * One connection of one role: it is opened once, reconnects by itself, and sends each command at most once.
 *
 * `reconnecting-client.ts` does the reconnecting.
 *
 * | state        | a command …                          | leaves by                  |
 * |--------------|--------------------------------------|----------------------------|
 * | not ready    | rejects, `not-sent`                  | ready · closed             |
 * | misplaced    | rejects, `not-sent`                  | connection lost · closed   |
 * | ready        | is written to the socket at once     | connection lost · closed   |
 * | closed       | rejects, `not-sent`                  | –                          |
 */
import {
  CommandError,
  ConfigError,
  ConnectionError,
  CredentialsError,
  PermissionError,
  type RedisBatchError,
  ServerStateError,
} from "../errors/errors.ts";
import { isError, messageOf } from "../errors/thrown.ts";
import type { Clock } from "../service/clock.ts";
import type { Random } from "../service/random.ts";
import { onAbort } from "../service/signals.ts";
import type { ConnectionEvent, ConnectionRole } from "../stream-client.ts";
import { type Argument, withBytes } from "../wire/command.ts";
import { diagnose, isUnclear, usesTls } from "./diagnosis.ts";
import { callWithBytes, mayBeBytes } from "./ioredis-internals/call-with-bytes.ts";
import {
  inOneWrite,
  inOneWriteThisTurn,
  passReadyCheck,
  skipReadyCheck,
  socketOf,
} from "./ioredis-internals/client-state.ts";
import { ClusterCalls } from "./ioredis-internals/cluster-calls.ts";
import { ClusterNodes } from "./ioredis-internals/cluster-nodes.ts";
import { lastNodeErrorOf, refusedCommand, withoutCountdown } from "./ioredis-internals/error-details.ts";
import { hasKeptHistory } from "./ioredis-internals/replication-history.ts";
import { type CallEnd, canWriteTogether, writeTogether } from "./ioredis-internals/write-together.ts";
import { LAST_REPLIES_MS, ReconnectingClient } from "./reconnecting-client.ts";
import { describeServer, hostAndPort, type RedisClient } from "./redis-client.ts";
import { askKind, redirectedError, wrongKind } from "./server-kind.ts";
import { adviseOnTls } from "./tls-advice.ts";
import { translateError } from "./translate-error.ts";

/**
 * How long a refused user or password is tried again before callers get the refusal: a password may be changed on the
 * server first, and where it is kept some minutes later.
 */
const REFUSED_AFTER_WORKING_MS = 300_000;

/** The same before the first connection, if a function is asked. Without one a wrong password is told at once. */
const REFUSED_AT_START_MS = 2_000;

/** Maximum reasons reported per outage: some contain a port or a time, and so differ at each attempt. */
const MOST_REASONS = 10;

/** A TLS handshake that takes this long may be with a server that does not speak TLS: that never answers it. */
const SLOW_HANDSHAKE_MS = 1_000;

export interface ConnectionOptions {
  /** Creates a client, not connected yet: the first, and another one whenever the last has ended for good. */
  readonly create: () => RedisClient;
  readonly role: ConnectionRole;
  /** Whether a function is asked for user and password. */
  readonly isAsked?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConnectionEvent) => void;
}

/** Sends one command, and resolves with its raw reply. */
type Ask = (command: string, args: readonly Argument[]) => Promise<unknown>;

export interface FollowedServer {
  /** In a Cluster, that of the node. */
  readonly address: string | undefined;
  readonly call: Ask;
  /** Whether it has been the master, or the replica, all the time since it was connected. */
  readonly hasKeptHistory: () => Promise<boolean>;
  /** Ends this connection: it is made again. */
  readonly disconnect: () => void;
}

export class Connection {
  readonly #life: ReconnectingClient;
  readonly #role: ConnectionRole;
  readonly #clock: Clock;
  readonly #report: (event: ConnectionEvent) => void;
  /** The calls of the current client, if it is a Cluster. */
  #clusterCalls: ClusterCalls | undefined;
  readonly #clusterNodes = new ClusterNodes();
  #takesBytes = false;
  #epoch = 0;
  #isReady = false;
  #isClosed = false;
  // Connected to the wrong database (ioredis continues in database 0), or to the wrong kind of server.
  #isMisplaced = false;
  /** Ends the search for the reason why connecting failed, while there is one. */
  #diagnosing: AbortController | undefined;
  // The server does not offer INFO: commands that it refuses while it loads its data are retried.
  #isReadyUnasked = false;
  #lastError: RedisBatchError | undefined;
  readonly #isAsked: boolean;
  /** Since when user or password are refused. */
  #refusedSinceMs: number | undefined;
  /** The reasons why connecting failed that were reported since the last success. */
  readonly #toldFailures = new Set<string>();
  readonly #changes = new Set<() => void>();

  constructor({ create, role, isAsked = false, clock, random, report }: ConnectionOptions) {
    this.#isAsked = isAsked;
    this.#role = role;
    this.#clock = clock;
    this.#report = report;
    this.#life = new ReconnectingClient({
      ...{ clock, random },
      create: () => this.#prepare(create()),
      onReady: () => this.#becomeReady(),
      onDown: () => this.#lose(),
      onError: (error) => this.#note(error),
    });
  }

  /** Counts the times this connection became usable, over all its clients. */
  get epoch(): number {
    return this.#epoch;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isCluster(): boolean {
    return this.#client.isCluster;
  }

  get #client(): RedisClient {
    return this.#life.current;
  }

  /** Whether a command would be sent now. */
  get isUsable(): boolean {
    return this.#isReady && this.#life.isUsable;
  }

  #prepare(client: RedisClient): RedisClient {
    // Those of the previous client, which has ended by now.
    this.#clusterCalls?.abandon();
    this.#clusterCalls = client.isCluster ? new ClusterCalls(client) : undefined;
    if (client.isCluster) this.#clusterNodes.follow(client);
    this.#takesBytes = mayBeBytes(client);
    if (this.#isReadyUnasked && !client.isCluster) skipReadyCheck(client);
    // A Cluster repeatedly creates its own client for each node, and connects it later.
    client.on("node error", (error: unknown) => this.#noteReadyCheck(error));
    client.on("+node", (node) => {
      if (this.#isReadyUnasked) skipReadyCheck(node as RedisClient);
      else passReadyCheck(node as RedisClient, (error) => this.#noteReadyCheck(error));
    });
    return client;
  }

  #becomeReady(): void {
    if (this.#isMisplaced) return;
    this.#epoch++;
    // A Cluster has asked its nodes for the slots, which no other server tells.
    if (this.#client.isCluster) return this.#announceReady();
    void this.#checkKind(this.#client, this.#epoch);
  }

  async #checkKind(client: RedisClient, epoch: number): Promise<void> {
    const ask = (command: string, ...args: string[]) => client.callBuffer(command, ...args);
    const kind = await askKind(ask);
    const isRight = kind === "standalone" || kind === null;
    const words = isRight ? undefined : await wrongKind(kind, "a single server", client.options, ask);
    // It may have been lost meanwhile.
    if (epoch !== this.#epoch || this.#isClosed || !this.#life.isUsable) return;
    if (words === undefined) return this.#announceReady();
    this.#isMisplaced = true;
    this.#settle(new ConfigError("redis", [words]), words);
  }

  #announceReady(): void {
    this.#isReady = true;
    this.#lastError = undefined;
    this.#refusedSinceMs = undefined;
    this.#toldFailures.clear();
    this.#announce();
    this.#report({ type: "connected", role: this.#role });
  }

  #lose(): void {
    this.#isMisplaced = false;
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#announce();
    const reason = this.#isClosed ? "closed" : (this.#describeLastError() ?? "lost");
    this.#report({ type: "disconnected", role: this.#role, reason });
  }

  /** ioredis uses INFO to check whether the server is ready, and would do so forever if INFO is not offered. */
  #noteReadyCheck(error: unknown): boolean {
    const refused = translateError(error, "info");
    if (refusedCommand(error)?.name !== "info") return false;
    // Whatever the text: temporary refusals, and refusals of user and password, are neither.
    const isNotOffered = PermissionError.is(refused) ? refused.refusal === "command" : CommandError.is(refused);
    if (!isNotOffered) return false;
    this.#isReadyUnasked = true;
    if (!this.#client.isCluster) skipReadyCheck(this.#client);
    return true;
  }

  #note(error: unknown): void {
    if (this.#noteReadyCheck(error)) return;
    const database = refusedDatabase(error);
    this.#isMisplaced ||= database !== undefined;
    const reason = reasonOf(error);
    const isReply = refusedCommand(error) !== undefined || ConfigError.is(error) || CredentialsError.is(error);
    const byNode = refusalByNode(error);
    const isRightMissing = PermissionError.is(byNode) && byNode.refusal === "right";
    const refusal = this.#mayLogInOtherwise || isRightMissing ? byNode : undefined;
    const translated = refusal ?? translateError(isReply ? error : new Error(reason), "connect");
    // A missing right to SELECT stays what it is.
    const failure =
      database === undefined || PermissionError.is(translated)
        ? translated
        : new ConfigError("redis", [`the server has no database ${database}: ${translated.message}`]);
    const isClear = refusal !== undefined || CredentialsError.is(failure) || !isUnclear(this.#client, error);
    if (isClear) return this.#settle(failure, reason);
    this.#lastError = failure;
    // Once is enough, unless somebody waits for it.
    if (this.#changes.size > 0 || !this.#toldFailures.has(reason)) void this.#diagnose(failure, reason);
  }

  /** Finds out why connecting failed, and tells; or tells what is known already. */
  async #diagnose(failure: RedisBatchError | undefined, reason: string): Promise<void> {
    if (this.#diagnosing !== undefined || this.#isClosed) return;
    const search = new AbortController();
    this.#diagnosing = search;
    const diagnosis = await diagnose(this.#client, search.signal).catch(() => undefined);
    this.#diagnosing = undefined;
    // It asks with the user and password that the client was created with.
    const isOutdated = this.#mayLogInOtherwise && isRefusedLogin(diagnosis);
    const found = isOutdated ? undefined : diagnosis;
    const cause = typeof found === "string" ? translateError(new Error(found), "connect") : withBoth(failure, found);
    if (this.#isReady || this.#isClosed || cause === undefined) return;
    this.#settle(cause, found === undefined ? reason : messageOf(found));
    // The cause is told by now, in whatever words.
    this.#toldFailures.add(reason);
  }

  #settle(failure: RedisBatchError, reason: string): void {
    this.#lastError = failure;
    if (isRefusedLogin(failure)) this.#refusedSinceMs ??= this.#clock.nowMs();
    // Rejects callers that wait for the connection with a permanent refusal.
    const isTold = this.#isFinal(failure) && this.#changes.size > 0;
    this.#announce();
    if (!isTold && !this.#isReady && !this.#isClosed) this.#tellFailure(reason);
  }

  #tellFailure(reason: string): void {
    if (this.#toldFailures.has(reason) || this.#toldFailures.size >= MOST_REASONS) return;
    this.#toldFailures.add(reason);
    this.#report({ type: "connectFailed", role: this.#role, reason });
  }

  /**
   * Waits until the connection is usable; opens it the first time. It keeps trying, however often it fails and however
   * its client ends: after a rejection it may still become usable by itself.
   */
  async ready(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#isClosed) throw this.#notConnected("it was closed");
    if (this.isUsable) return;
    signal?.throwIfAborted();
    // A refused login may be allowed by now: wait for the next attempt.
    if (this.#isFinal(this.#lastError)) this.#lastError = undefined;
    if (this.#isMisplaced) this.#life.reopen();
    this.#life.open();
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.isUsable) return finish(resolve);
        if (this.#isClosed) return finish(() => reject(this.#notConnected("it was closed")));
        // Another attempt with the same password, or the same database, would fail in the same way.
        const error = this.#lastError;
        if (this.#isFinal(error)) finish(() => reject(error));
      };
      const finish = (settle: () => void): void => {
        this.#changes.delete(look);
        cancelTimer();
        cancelDoubt?.();
        stopListening();
        settle();
      };
      const cancelTimer = this.#clock.setTimer(timeoutMs, () =>
        finish(() => reject(this.#notConnected(`no connection within ${timeoutMs} ms`))),
      );
      const cancelDoubt = !usesTls(this.#client)
        ? undefined
        : this.#clock.setTimer(SLOW_HANDSHAKE_MS, () => void this.#diagnose(undefined, "no TLS handshake"));
      const stopListening = onAbort(signal, (reason) => finish(() => reject(reason)));
      this.#changes.add(look);
      look();
    });
  }

  /**
   * Sends one command and resolves with its raw reply: Buffers, numbers, null, arrays. Errors call it `operation`, if it
   * is part of something larger.
   */
  call(command: string, args: readonly Argument[], operation: string = command): Promise<unknown> {
    return this.#call(command, args, operation, false);
  }

  /**
   * The same, in one system call with all else that is sent like this in this turn of the event loop.
   *
   * @param bytes the whole command, if it is there already. Then `args` need have no more than the key
   */
  callTogether(command: string, args: readonly Argument[], bytes?: Buffer): Promise<unknown> {
    return this.#call(command, args, command, true, bytes);
  }

  /** Whether a command can be given as bytes. */
  get takesBytes(): boolean {
    return this.#takesBytes;
  }

  async #call(
    command: string,
    args: readonly Argument[],
    operation: string,
    isTogether: boolean,
    bytes?: Buffer,
  ): Promise<unknown> {
    if (!this.isUsable) throw this.#notConnected(this.#why(), operation);
    const written = withBytes(args);
    if (this.#clusterCalls !== undefined) {
      return this.#clusterCalls.call(command, written, operation, { isTogether, bytes });
    }
    if (isTogether) inOneWriteThisTurn(socketOf(this.#client));
    try {
      if (bytes !== undefined) return await callWithBytes(this.#client, command, written, bytes);
      return await this.#client.callBuffer(command, ...written);
    } catch (error) {
      throw this.#unlessRedirected(translateError(error, operation));
    }
  }

  /** A server that did not tell its kind, and yet redirects, is a node of a Cluster: trying again would not help. */
  #unlessRedirected(error: RedisBatchError): RedisBatchError {
    const isRedirection = ServerStateError.is(error) && (error.state === "MOVED" || error.state === "ASK");
    return isRedirection && !this.#client.isCluster ? redirectedError(this.#client.options) : error;
  }

  /** The servers behind it, for commands without a key: the masters of a Cluster, in a stable order, or the only server. */
  get servers(): readonly Ask[] {
    const nodes = this.#client.nodes?.("master");
    if (nodes === undefined) return [(command, args) => this.call(command, args)];
    return nodes
      .toSorted((left, right) => (hostAndPort(left.options) < hostAndPort(right.options) ? -1 : 1))
      .map((node) => async (command, args) => {
        if (!this.isUsable) throw this.#notConnected(this.#why(), command);
        return askOf(node)(command, args);
      });
  }

  /** Sends many calls of one command at once. Each has its own result: the raw reply, or its error. */
  async callMany(command: string, calls: readonly (readonly Argument[])[]): Promise<readonly CallEnd[]> {
    if (calls.length === 0) return [];
    if (!this.isUsable) {
      const error = this.#notConnected(this.#why(), command);
      return calls.map(() => ({ reply: undefined, error }));
    }
    if (canWriteTogether(this.#client)) {
      const ends = await writeTogether(this.#client, command, calls);
      return ends.every(({ error }) => error === undefined) ? ends : ends.map((end) => this.#endUnlessRedirected(end));
    }
    const sent = inOneWrite(this.#client, () => calls.map((args) => this.call(command, args)));
    const replies = await Promise.allSettled(sent);
    return replies.map((end) =>
      end.status === "fulfilled"
        ? { reply: end.value, error: undefined }
        : { reply: undefined, error: translateError(end.reason, command) },
    );
  }

  #endUnlessRedirected(end: CallEnd): CallEnd {
    return end.error === undefined ? end : { reply: undefined, error: this.#unlessRedirected(end.error) };
  }

  /**
   * Follows the calls from now on → sends one more call behind them, over the very connection that carried them. There
   * that call rejects: `not-sent`, if it is not this connection any more, or if a Cluster sent them over several;
   * `unknown`, if the server was a replica for a while, and so may have dropped what they wrote.
   */
  followCalls(): Ask {
    const find = this.followServer();
    return async (command, args) => {
      const server = find();
      if (server === undefined) {
        throw this.#notConnected("the connection that carried what it is about is not there any more", command);
      }
      const [reply, isWhole] = await Promise.all([server.call(command, args), server.hasKeptHistory()]);
      if (isWhole) return reply;
      // Its next connection begins with the history that there is now.
      server.disconnect();
      throw new ConnectionError(`${command}: the server was not the master all the time since it was connected`, {
        outcome: "unknown",
      });
    };
  }

  /** The same → finds the server that has executed them all, while that connection to it is there. */
  followServer(): () => FollowedServer | undefined {
    const epoch = this.#epoch;
    const nodes = this.#clusterCalls?.follow();
    return () => {
      const node = nodes === undefined ? this.#client : nodes();
      if (!this.isUsable || this.#epoch !== epoch || node === undefined) return undefined;
      return {
        address: nodes === undefined ? undefined : hostAndPort(node.options),
        call: askOf(node),
        hasKeptHistory: () => hasKeptHistory(node),
        disconnect: () => node.disconnect(true),
      };
    };
  }

  /** Sends one command to the node of a Cluster at this address, or to the only server. */
  async callAt(address: string | undefined, command: string, args: readonly Argument[]): Promise<unknown> {
    if (address === undefined) return this.call(command, args);
    const node = this.#client.nodes?.("all").find(({ options }) => hostAndPort(options) === address);
    if (!this.isUsable || node === undefined) throw this.#notConnected(this.#why(), command);
    return askOf(node)(command, args);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#diagnosing?.abort();
    this.#life.close();
    this.#clusterCalls?.abandonAfter(LAST_REPLIES_MS, this.#clock);
    this.#announce();
  }

  /** Whether the next attempt may have another user or password than the client was created with. */
  get #mayLogInOtherwise(): boolean {
    return this.#isAsked || this.#epoch > 0;
  }

  /** Whether waiting is useless: another attempt would fail in the same way. */
  #isFinal(error: RedisBatchError | undefined): error is RedisBatchError {
    if (!isRefusedLogin(error)) return PermissionError.is(error) || ConfigError.is(error);
    const patienceMs = this.#epoch > 0 ? REFUSED_AFTER_WORKING_MS : this.#isAsked ? REFUSED_AT_START_MS : 0;
    return this.#clock.nowMs() - (this.#refusedSinceMs ?? 0) >= patienceMs;
  }

  #announce(): void {
    for (const look of [...this.#changes]) look();
  }

  #why(): string {
    return this.#isClosed ? "it was closed" : "the server is unreachable";
  }

  #describeLastError(): string | undefined {
    const { cause, message } = this.#lastError ?? {};
    return isError(cause) ? cause.message : message;
  }

  #notConnected(why: string, command = "connect"): ConnectionError {
    const last = this.#describeLastError();
    return new ConnectionError(
      `${command}: not sent, ${why} (${this.#role} connection to ${describeServer(this.#client)}${last === undefined ? "" : `; last error: ${last}`})`,
      { outcome: "not-sent", cause: this.#lastError },
    );
  }
}

/** Why connecting failed. For nodes and Sentinels that refuse a connection, ioredis only says that it "is closed". */
function reasonOf(error: unknown): string {
  const lastNodeError = lastNodeErrorOf(error);
  if (lastNodeError !== undefined)
    return `no node of the cluster can be reached; last error: ${messageOf(lastNodeError)}`;
  // The same reason each time, however long it waits.
  const words = withoutCountdown(messageOf(error));
  const advice = adviseOnTls(error);
  if (words !== "") return advice === undefined ? words : `${words} (${advice})`;
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" ? code : "it failed";
}

/** Why no node of a Cluster lets us in, where the Cluster only says that it has found none. */
function refusalByNode(error: unknown): RedisBatchError | undefined {
  const nodeError = lastNodeErrorOf(error);
  const refusal = nodeError === undefined ? undefined : translateError(nodeError, "connect");
  return PermissionError.is(refusal) || CredentialsError.is(refusal) ? refusal : undefined;
}

function isRefusedLogin(error: unknown): boolean {
  return PermissionError.is(error) && error.refusal === "credentials";
}

/** What was found, or else what is known. A database that is missing on a server of the wrong kind: both are told. */
function withBoth(known?: RedisBatchError, found?: RedisBatchError): RedisBatchError | undefined {
  if (ConfigError.is(known) && ConfigError.is(found)) {
    return new ConfigError("redis", [...known.problems, ...found.problems]);
  }
  return found ?? known;
}

/** The database that the server refused to switch to, if that was the error. */
function refusedDatabase(error: unknown): string | undefined {
  const command = refusedCommand(error);
  return command?.name === "select" ? String(command.args[0]) : undefined;
}

function askOf(client: RedisClient): Ask {
  return async (command, args) => {
    try {
      return await client.callBuffer(command, ...withBytes(args));
    } catch (error) {
      throw translateError(error, command);
    }
  };
}
