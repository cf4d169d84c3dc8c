/**
 * Sends many calls of one command together. ioredis would create an object with twenty fields and closures for each call
 * and write each to the socket separately, which costs more than the rest of an add. Instead it gets one command, which
 * is in its queue once per call, and is settled once per call, in the order of the queue.
 */
import { Command, Redis } from "ioredis";
import type { RedisBatchError } from "../../errors/errors.ts";
import type { Argument } from "../../wire/command.ts";
import { encodeRequests } from "../../wire/request.ts";
import type { RedisClient } from "../redis-client.ts";
import { translateError } from "../translate-error.ts";

/** The result of one call. */
export type CallEnd =
  | { readonly reply: unknown; readonly error: undefined }
  | { readonly reply: undefined; readonly error: RedisBatchError };

/** The clients that have written to a stream of ours, as `writeTogether` expects. */
const known = new WeakSet<Redis>();

/**
 * Whether a client has what `writeTogether` relies on: it comes from the copy of ioredis that we import, whose commands have
 * `resolve`, `reject` and `toWritable`, and it has a socket that can be corked. Otherwise each call is sent separately: a
 * Cluster may have to send each to another node, and another copy of ioredis has its own class of commands.
 */
export function canWriteTogether(client: RedisClient, CommandClass: typeof Command = Command): client is Redis {
  if (!(client instanceof Redis)) return false;
  const { stream } = client as Partial<Pick<Redis, "stream">>;
  return (
    hasMethods(client, "sendCommand") &&
    hasMethods(new CommandClass("ping"), "resolve", "reject", "toWritable") &&
    hasMethods(stream, "cork", "write")
  );
}

/**
 * Sends the calls, at least one, and resolves when all have ended, each with its own result. Relies on `sendCommand`
 * writing the commands of a pipeline to the given stream, and on its queue settling commands by their `resolve` and
 * `reject`. A client that writes elsewhere sends each call separately, with the same results.
 *
 * @param CommandClass of the same copy of ioredis as the client, which may be of another major version than ours
 */
export function writeTogether(
  client: Redis,
  name: string,
  calls: readonly (readonly Argument[])[],
  CommandClass: typeof Command = Command,
): Promise<readonly CallEnd[]> {
  // Before anything is queued: a queued command must be written, or every later reply would go to the wrong command.
  const pieces = encodeRequests(name, calls);
  return new Promise((resolve) => {
    const ends: CallEnd[] = [];
    const command = new CommandClass(name);
    const settle = command.resolve;
    const end = (how: CallEnd): void => {
      ends.push(how);
      if (ends.length < calls.length) return;
      // For tools that trace ioredis's commands.
      settle(null);
      resolve(ends);
    };
    // Named first: V8 puts a function that is written directly as the value of an assignment to a property among its old objects,
    // where it would keep all calls and their results until the next collection of all there is.
    const succeed = (reply: unknown): void => end({ reply, error: undefined });
    const fail = (error: unknown): void => end({ reply: undefined, error: translateError(error, name) });
    const writeNothing = (): string => "";
    command.resolve = succeed;
    command.reject = fail;
    command.toWritable = writeNothing;
    let isWritten = false;
    // The stream that ioredis's own pipelines write to, after a check that the socket is writable.
    const stream = {
      isPipeline: true as const,
      destination: { redis: client },
      write: (): void => {
        if (!isWritten) writeAll(client.stream, pieces);
        isWritten = true;
        known.add(client);
      },
    };
    for (const call of calls) {
      // Each with its own light wrapper, because tracers replace the callbacks of each command that they see.
      const wrapper = Object.create(command) as Command;
      // With its own bytes, until it is known that this ioredis leaves the writing to the stream.
      if (!isWritten && !known.has(client)) wrapper.toWritable = () => inOnePiece(encodeRequests(name, [call]));
      client.sendCommand(wrapper, stream);
    }
  });
}

function writeAll(socket: Redis["stream"], pieces: readonly (string | Buffer)[]): void {
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
}

function inOnePiece(pieces: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}

function hasMethods(object: object | undefined, ...names: readonly string[]): boolean {
  return object !== undefined && names.every((name) => typeof Reflect.get(object, name) === "function");
}
