/** The private state of an ioredis client: its socket, its timers, and the options that it reads again later. */
import type { ClusterNode, Redis } from "ioredis";
import type { RedisClient } from "../redis-client.ts";

/** A socket as both majors keep it in `stream`, from their first connection on. A Cluster has one for each node instead. */
export type Socket = Redis["stream"];

/** The socket. Relies on `stream`, which is undefined before the first connection. */
export function socketOf(client: RedisClient): Socket | undefined {
  return client.isCluster ? undefined : (client as Redis).stream;
}

/**
 * Whether a client that is "ready" has no connection. ioredis 5 without a ready check may emit this for a connection that
 * has already ended, and then never connects again.
 */
export function isWithoutSocket(client: RedisClient): boolean {
  const socket = socketOf(client);
  return socket !== undefined && (socket.destroyed || socket.connecting);
}

/**
 * Ends an unused connection at once. ioredis gives the other side two seconds to end it as well, which keep the process
 * alive: if the server is silent, and even if there is no socket any more. (Internal connections of a Cluster or a
 * Sentinel cannot be reached.) Relies on ioredis taking the socket's `close` event for the end.
 */
export function endSocket(client: RedisClient): void {
  const socket = socketOf(client);
  socket?.destroy();
  // It had ended before ioredis began to wait for that, so no event would follow.
  if (socket?.closed) socket.emit("close");
}

/**
 * Sends commands that are written meanwhile together: a system call per command would cost more than the command. Relies
 * on ioredis writing to the socket at once, and costs only time if it does not.
 */
export function inOneWrite<Result>(client: RedisClient, write: () => Result): Result {
  const socket = socketOf(client);
  socket?.cork();
  try {
    return write();
  } finally {
    socket?.uncork();
  }
}

/** Sockets that are corked until the end of the turn. */
const corked = new WeakSet<Socket>();

/** The same for all that is written to a socket in this turn of the event loop, by any caller. */
export function inOneWriteThisTurn(socket: Socket | undefined): void {
  if (socket === undefined || corked.has(socket)) return;
  corked.add(socket);
  socket.cork();
  process.nextTick(() => {
    corked.delete(socket);
    socket.uncork();
  });
}

/**
 * ioredis 5 keeps the silence timer of an ended connection, and then ends the next connection because of it. Relies on the
 * timer being `socketTimeoutTimer`, and on a new one being set while that is undefined.
 */
export function endSilenceWatch(client: RedisClient): void {
  clearTimeout(Reflect.get(client, "socketTimeoutTimer") as NodeJS.Timeout | undefined);
  Reflect.set(client, "socketTimeoutTimer", undefined);
}

/** No INFO from the client's next connection on. Relies on ioredis reading the option at each connection. */
export function skipReadyCheck(client: RedisClient): void {
  (client as Redis).options.enableReadyCheck = false;
}

/**
 * Takes a connection for ready whose INFO is refused, where that may be, instead of ending it with all that waits for it. Relies
 * on ioredis calling `_readyCheck`; without it the connection ends.
 */
export function passReadyCheck(client: RedisClient, mayPass: (refusal: Error) => boolean): void {
  type Done = (error?: Error | null, info?: object) => void;
  const check = Reflect.get(client, "_readyCheck") as ((done: Done) => void) | undefined;
  if (check === undefined) return;
  Reflect.set(client, "_readyCheck", (done: Done) => {
    check.call(client, (error, told) => {
      if (error && mayPass(error)) done(null, {});
      else done(error, told);
    });
  });
}

/** Where a Cluster looks for its nodes, as the user wrote it. Relies on `startupNodes`; without it there are none. */
export function startupNodesOf(client: RedisClient): { readonly host?: string; readonly port?: number }[] {
  const nodes = (Reflect.get(client, "startupNodes") ?? []) as readonly ClusterNode[];
  return nodes.map((node) => {
    if (typeof node === "number") return { port: node };
    if (typeof node === "object") return { host: node.host ?? "127.0.0.1", port: node.port ?? 6379 };
    const url = new URL(node.includes("://") ? node : `redis://${node}`);
    return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(url.port || 6379) };
  });
}
