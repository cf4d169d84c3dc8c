/**
 * The calls of one Cluster client. ioredis rejects with the same error whether a command was written to a node or not,
 * and a command in one of its queues may never settle when the client ends. Both are decided here instead. So is what
 * follows a refusal: ioredis follows redirections (MOVED, ASK); a slot that no node can serve now (TRYAGAIN,
 * CLUSTERDOWN) is the caller's to wait for, and ioredis would keep it in a queue that it never rejects.
 */
import type { Cluster, Command } from "ioredis";
import { ConnectionError, CredentialsError, type RedisBatchError } from "../../errors/errors.ts";
import type { Clock } from "../../service/clock.ts";
import type { Argument } from "../../wire/command.ts";
import type { RedisClient } from "../redis-client.ts";
import { translateError } from "../translate-error.ts";
import { inOneWriteThisTurn, type Socket, socketOf } from "./client-state.ts";
import { refusedCommand } from "./error-details.ts";

interface OpenCall {
  /** Whether a node may have executed it. Undefined if this ioredis does not show it: then its error text decides. */
  isWritten: boolean | undefined;
  /** The socket that it was last written to. */
  socket: object | undefined;
  /** Whether it is written together with others of this turn of the event loop. */
  readonly isTogether: boolean;
  /** The whole command; `undefined`: ioredis makes it of its arguments. */
  readonly bytes: Buffer | undefined;
  /** The sockets of the nodes that have executed the calls with which it is followed. */
  readonly followed: Set<object | undefined>;
  readonly abandon: () => void;
}

interface CallOptions {
  readonly isTogether?: boolean;
  readonly bytes?: Buffer | undefined;
}

/** Replies that mean that the node has not executed the command: ioredis sends it to another node. */
const REDIRECTED = /^(MOVED|ASK)\b/;
/** The same, but no other node would execute it now. */
const UNSERVED = /^(TRYAGAIN|CLUSTERDOWN)\b/;
/** The node has lost the others, or has just started: it may not know yet that another one has taken its place. */
const OUTDATED = /^CLUSTERDOWN\b/;

/**
 * Commands without a key, of those that are sent to any node. Not told by ioredis: of some commands, such as XGROUP in version 5,
 * it does not know where the key is, and it follows no redirection of a command that it is given the node for.
 */
const KEYLESS: ReadonlySet<string> = new Set(["acl", "client", "command", "info", "time"]);

export class ClusterCalls {
  readonly #cluster: Cluster;
  readonly #open = new Set<OpenCall>();
  #cancelTimer = (): void => {};
  /** The call whose command ioredis is about to create. */
  #starting: OpenCall | undefined;
  /** Where the nodes of calls are noted that begin from now on. */
  #followed = new Set<object | undefined>();
  /** The socket of the node that has executed a call last. */
  #last: object | undefined;

  /**
   * Relies on a Cluster creating a command for each call at once, and passing it to its own `sendCommand`.
   *
   * @param client not shared: its `sendCommand` is replaced by one that follows each command
   */
  constructor(client: RedisClient) {
    const cluster = client as Cluster;
    this.#cluster = cluster;
    const send = cluster.sendCommand.bind(cluster);
    cluster.sendCommand = (command, stream, node): unknown => {
      const call = this.#starting;
      this.#starting = undefined;
      if (call === undefined || !noteWriting(command, call)) return send(command, stream, node);
      const settle = command.reject;
      const reply = send(command, stream, node ?? this.#nodeWithoutKey(command));
      noteRefusals(command, call, settle.bind(command), () => cluster.refreshSlotsCache());
      return reply;
    };
  }

  /** Sends one command. Resolves with its raw reply, or rejects with one of our errors, which names `operation`. */
  call(
    command: string,
    args: readonly Argument[],
    operation: string,
    { isTogether = false, bytes }: CallOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: OpenCall = {
        ...{ isWritten: undefined, socket: undefined, isTogether, bytes, followed: this.#followed },
        abandon: () => fail(new Error("the client has ended")),
      };
      const succeed = (reply: unknown): void => {
        this.#remove(call);
        call.followed.add(call.socket);
        this.#last = call.socket;
        resolve(reply);
      };
      const fail = (error: unknown): void => {
        this.#remove(call);
        const translated = translateError(error, operation, call.isWritten);
        reject(isOfTheConnection(error, command) ? notSent(operation, translated) : translated);
      };
      this.#open.add(call);
      this.#starting = call;
      this.#cluster.callBuffer(command, ...args).then(succeed, fail);
      this.#starting = undefined;
    });
  }

  /**
   * Follows the calls that begin from now on, until others are followed → finds the node that has executed all of them, still over the same socket; `undefined`
   * if there is none. Whatever redirections there were, the last node that a call was written to is the one that answered.
   */
  follow(): () => RedisClient | undefined {
    const sockets = new Set<object | undefined>();
    this.#followed = sockets;
    return () => {
      const [socket] = sockets;
      return sockets.size === 1 ? this.#nodeOf(socket) : undefined;
    };
  }

  /** Rejects all calls that have not settled. */
  abandon(): void {
    for (const call of this.#open) call.abandon();
  }

  /** Rejects all calls that have not settled by then. Leaves no timer once all have. */
  abandonAfter(delayMs: number, clock: Clock): void {
    if (this.#open.size > 0) this.#cancelTimer = clock.setTimer(delayMs, () => this.abandon());
  }

  /** Where a command without a key goes: to the node that has answered last. ioredis would take any, also one that is away. */
  #nodeWithoutKey(command: Command): { readonly slot: undefined; readonly redis: RedisClient } | undefined {
    const redis = KEYLESS.has(command.name.toLowerCase()) ? this.#nodeOf(this.#last) : undefined;
    return redis === undefined ? undefined : { slot: undefined, redis };
  }

  #nodeOf(socket: object | undefined): RedisClient | undefined {
    if (socket === undefined) return undefined;
    return this.#cluster.nodes("all").find((node) => node.status === "ready" && socketOf(node) === socket);
  }

  #remove(call: OpenCall): void {
    this.#open.delete(call);
    if (this.#open.size === 0) this.#cancelTimer();
  }
}

/** Whether a node failed before it could be sent the command: ioredis gives commands in its queue the same error. */
function isOfTheConnection(error: unknown, command: string): boolean {
  const refused = refusedCommand(error);
  return CredentialsError.is(error) || (refused !== undefined && refused.name.toLowerCase() !== command.toLowerCase());
}

function notSent(operation: string, cause: RedisBatchError): ConnectionError {
  return new ConnectionError(`${operation}: not sent, a node of the cluster cannot be used: ${cause.message}`, {
    ...{ outcome: "not-sent", cause },
  });
}

/**
 * Records from now on whether a command was written; returns whether that is possible. Relies on ioredis asking a command
 * for its bytes, by `toWritable`, each time it writes it to a socket.
 */
function noteWriting(command: Command, call: OpenCall): boolean {
  const { toWritable } = command as Partial<Command>;
  if (toWritable === undefined) return false;
  call.isWritten = false;
  command.toWritable = (socket) => {
    call.isWritten = true;
    call.socket = socket;
    if (call.isTogether) inOneWriteThisTurn(socket as Socket);
    return call.bytes ?? toWritable.call(command, socket);
  };
  return true;
}

/**
 * Records that a node has not executed a command. Relies on the Cluster having set its own `reject` on the command by now,
 * which decides whether the command is sent again.
 *
 * @param settle the command's own `reject`: it is not sent again
 * @param refresh asks the nodes who serves which slot. ioredis does that by itself after MOVED
 */
function noteRefusals(command: Command, call: OpenCall, settle: Command["reject"], refresh: () => void): void {
  const decide = command.reject.bind(command);
  command.reject = (error) => {
    if (OUTDATED.test(error.message)) refresh();
    if (UNSERVED.test(error.message)) return settle(error);
    if (REDIRECTED.test(error.message)) call.isWritten = false;
    decide(error);
  };
}
