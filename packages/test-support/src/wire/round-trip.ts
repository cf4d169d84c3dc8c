import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterFairMs, deferred } from "@redis-batch/testing/time";
import { type CommandArgument, decodeReply, encodeCommand, type Reply, ReplyError } from "./resp.ts";
import type { ServerAddress } from "./server-address.ts";

const DEFAULT_LIMIT_MS = 5_000;

/**
 * Opens a connection, sends one command, and closes it again: what a test needs to look behind the client under test,
 * without that client.
 *
 * @throws {ReplyError} when the server replies with an error (to AUTH and SELECT too).
 * @throws {Error} when there is no whole reply within `limitMs`.
 */
export function roundTrip(
  address: ServerAddress,
  args: readonly CommandArgument[],
  limitMs = DEFAULT_LIMIT_MS,
): Promise<Reply> {
  const commands = [...openingCommands(address), args];
  const { promise, resolve, reject } = deferred<Reply>();
  const socket = connect(address, () => socket.write(Buffer.concat(commands.map(encodeCommand))));
  const callOff = afterFairMs(limitMs, () => socket.destroy(new Error(`${describe(args)}: no reply in ${limitMs} ms`)));
  let received: Buffer = Buffer.alloc(0);
  let awaited = commands.length;
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    try {
      for (let next = decodeReply(received); next !== undefined; next = decodeReply(received)) {
        received = received.subarray(next.end);
        awaited -= 1;
        if (next.reply instanceof ReplyError) throw next.reply;
        if (awaited === 0) resolve(next.reply);
        if (awaited === 0) socket.destroy();
      }
    } catch (cause) {
      socket.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    }
  });
  socket.once("error", reject);
  socket.once("close", () => {
    callOff();
    reject(new Error(`${describe(args)}: the server closed the connection before it replied`));
  });
  return promise;
}

function connect(address: ServerAddress, connected: () => void): Socket {
  const { host, port, path, tls } = address;
  if (tls !== undefined) return connectTls({ host, port, ...tls }, connected);
  return path === undefined ? connectTcp({ host, port }, connected) : connectTcp({ path }, connected);
}

function openingCommands({ username, password, db }: ServerAddress): CommandArgument[][] {
  const commands: CommandArgument[][] = [];
  if (password !== undefined) commands.push(["AUTH", username ?? "default", password]);
  if (db !== undefined) commands.push(["SELECT", db]);
  return commands;
}

function describe(args: readonly CommandArgument[]): string {
  return args.length === 0 ? "an empty command" : String(args[0]);
}
