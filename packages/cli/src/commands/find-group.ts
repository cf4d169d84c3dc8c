import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { type GroupInfo, readPartitions } from "@redis-batch/core/internal/groups";
import type { Terminal } from "../terminal.ts";

/**
 * The group; of a stream with partitions that of the first partition that has it.
 *
 * @throws {NoGroupError} naming which of the two is missing
 */
export async function findGroup(client: StreamClient, stream: string, group: string): Promise<GroupInfo> {
  const found = (await groupsOf(client, stream)).find(({ name }) => name === group);
  if (found === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
  return found;
}

/** For commands that run until they are stopped: says that nothing exists yet, because the name may be mistyped. */
export async function noteIfMissing(
  client: StreamClient,
  { stream, group }: { readonly stream: string; readonly group: string },
  terminal: Terminal,
): Promise<void> {
  const groups = await groupsOf(client, stream).catch((error: unknown) => {
    if (NoGroupError.is(error)) return null;
    throw error;
  });
  if (groups === null) terminal.note(awaited(stream), "warn");
  else if (!groups.some(({ name }) => name === group)) terminal.note(awaited(stream, group), "warn");
}

async function groupsOf(client: StreamClient, stream: string): Promise<readonly GroupInfo[]> {
  const partitions = await readPartitions(client, stream);
  if (partitions === null) return client.xinfoGroups({ stream });
  const groups = partitions.map((one) =>
    client.xinfoGroups({ stream: one }).catch((error: unknown) => {
      if (NoGroupError.is(error)) return [];
      throw error;
    }),
  );
  return (await Promise.all(groups)).flat();
}

/** Says what the command waits for. */
export const awaited = (stream: string, group?: string): string =>
  `${group === undefined ? `there is no stream "${stream}"` : `the stream "${stream}" has no group "${group}"`}: waiting for it`;
