import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { GroupInfo } from "@redis-batch/core/internal/groups";
import type { Terminal } from "../terminal.ts";

/** @throws {NoGroupError} naming which of the two is missing */
export async function findGroup(client: StreamClient, stream: string, group: string): Promise<GroupInfo> {
  const found = (await client.xinfoGroups({ stream })).find(({ name }) => name === group);
  if (found === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
  return found;
}

/** For commands that run until they are stopped: says that nothing exists yet, because the name may be mistyped. */
export async function noteIfMissing(
  client: StreamClient,
  { stream, group }: { readonly stream: string; readonly group: string },
  terminal: Terminal,
): Promise<void> {
  const groups = await client.xinfoGroups({ stream }).catch((error: unknown) => {
    if (NoGroupError.is(error)) return null;
    throw error;
  });
  if (groups === null) terminal.note(awaited(stream), "warn");
  else if (!groups.some(({ name }) => name === group)) terminal.note(awaited(stream, group), "warn");
}

/** Says what the command waits for. */
export const awaited = (stream: string, group?: string): string =>
  `${group === undefined ? `there is no stream "${stream}"` : `the stream "${stream}" has no group "${group}"`}: waiting for it`;
