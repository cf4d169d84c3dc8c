/**
 * Many calls of one command in one go. ioredis would make an object of twenty fields and closures of each call and write
 * each to the socket by itself, which costs more than all else that an add does. It gets one command instead that stands
 * in its queue as often as there are calls, and is settled as often, in the order of the queue.
 */
import type { Command, Redis } from "ioredis";
import type { RedisBatchError } from "../errors/errors.ts";
import type { Argument } from "../wire/command.ts";
import { encodeRequests } from "../wire/request.ts";
import { translateError } from "./translate-error.ts";

/** How one call ended. */
export type CallEnd =
  | { readonly reply: unknown; readonly error: undefined }
  | { readonly reply: undefined; readonly error: RedisBatchError };

/**
 * Sends the calls, at least one, and resolves when all have ended, each for itself.
 *
 * @param CommandClass of the same copy of ioredis as the client, which may be of another major version than ours
 */
export function writeTogether(
  client: Redis,
  CommandClass: typeof Command,
  name: string,
  calls: readonly (readonly Argument[])[],
): Promise<readonly CallEnd[]> {
  // Before anything is queued: what is queued must be written, or every later reply would go to the wrong command.
  const pieces = encodeRequests(name, calls);
  return new Promise((resolve) => {
    const ends: CallEnd[] = [];
    const command = new CommandClass(name);
    const settle = command.resolve;
    const end = (how: CallEnd): void => {
      ends.push(how);
      if (ends.length < calls.length) return;
      // For whoever traces ioredis's commands.
      settle(null);
      resolve(ends);
    };
    command.resolve = (reply: unknown) => end({ reply, error: undefined });
    command.reject = (error) => end({ reply: undefined, error: translateError(error, name) });
    command.toWritable = () => "";
    let isWritten = false;
    // What ioredis has its pipelines write to. It does so where it has found that the socket can be written to.
    const stream = {
      isPipeline: true as const,
      destination: { redis: client },
      write: (): void => {
        if (!isWritten) writeAll(client.stream, pieces);
        isWritten = true;
      },
    };
    // Each in a light wrap, because tracers put their own ends over those of each command that they see.
    for (let call = 0; call < calls.length; call++) client.sendCommand(Object.create(command) as Command, stream);
  });
}

function writeAll(socket: Redis["stream"], pieces: readonly (string | Buffer)[]): void {
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
}
