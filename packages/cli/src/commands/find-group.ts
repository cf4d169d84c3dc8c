import { type GroupInfo, NoGroupError, type StreamClient } from "@redis-batch/core/internal";

/** @throws {NoGroupError} naming which of the two is missing */
export async function findGroup(client: StreamClient, stream: string, group: string): Promise<GroupInfo> {
  const found = (await client.xinfoGroups({ stream })).find(({ name }) => name === group);
  if (found === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
  return found;
}
