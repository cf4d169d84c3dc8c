import { type GroupInfo, NoGroupError, type StreamClient } from "@redis-batch/core/internal";
import type { Terminal } from "../terminal.ts";

/** @throws {NoGroupError} naming which of the two is missing */
export async function findGroup(client: StreamClient, stream: string, group: string): Promise<GroupInfo> {
  const found = (await client.xinfoGroups({ stream })).find(({ name }) => name === group);
  if (found === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
  return found;
}

/** For what goes on until it is told to end: says that there is nothing yet, which may be a name that was mistyped. */
export async function tellIfMissing(
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

/** What is waited for. */
export const awaited = (stream: string, group?: string): string =>
  `${group === undefined ? `there is no stream "${stream}"` : `the stream "${stream}" has no group "${group}"`} yet: waiting for it`;
