/**
 * Sends many calls of one command together. ioredis would create an object with twenty fields and closures for each call
 * and write each to the socket separately, which costs more than the rest of an add. Instead it gets one command, which
 * is in its queue once per call, and is settled once per call, in the order of the queue.
 */
import type { Command, Redis } from "ioredis";
import type { RedisBatchError } from "../errors/errors.ts";
import type { Argument } from "../wire/command.ts";
import { encodeRequests } from "../wire/request.ts";
import { translateError } from "./translate-error.ts";

/** The result of one call. */
export type CallEnd =
  | { readonly reply: unknown; readonly error: undefined }
  | { readonly reply: undefined; readonly error: RedisBatchError };

/**
 * Sends the calls, at least one, and resolves when all have ended, each with its own result.
 *
 * @param CommandClass of the same copy of ioredis as the client, which may be of another major version than ours
 */
export function writeTogether(
  client: Redis,
  CommandClass: typeof Command,
  name: string,
  calls: readonly (readonly Argument[])[],
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
    command.resolve = (reply: unknown) => end({ reply, error: undefined });
    command.reject = (error) => end({ reply: undefined, error: translateError(error, name) });
    command.toWritable = () => "";
    let isWritten = false;
    // The stream that ioredis's own pipelines write to, after a check that the socket is writable.
    const stream = {
      isPipeline: true as const,
      destination: { redis: client },
      write: (): void => {
        if (!isWritten) writeAll(client.stream, pieces);
        isWritten = true;
      },
    };
    // Each with its own light wrapper, because tracers replace the callbacks of each command that they see.
    for (let call = 0; call < calls.length; call++) client.sendCommand(Object.create(command) as Command, stream);
  });
}

function writeAll(socket: Redis["stream"], pieces: readonly (string | Buffer)[]): void {
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
}
