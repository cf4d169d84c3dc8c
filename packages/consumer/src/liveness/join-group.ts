/** The first step of a consumer: makes sure that the stream, the group and its name in the group exist. */
import { type GroupPosition, NoGroupError, PermissionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { isFullServer } from "../full-server.ts";

/**
 * Creates the stream, the group and the consumer's name if they are missing → whether the group is new. A user without the
 * right to create can still join an existing group; if there is none, the first read fails.
 */
export async function joinGroup(
  client: StreamClient,
  policy: { readonly stream: string; readonly group: string; readonly name: string; readonly startFrom: GroupPosition },
): Promise<boolean> {
  const { stream, group, startFrom } = policy;
  // The name first: where the group exists, nobody needs the right to create one, and no server logs its refusal.
  if (await createName(client, policy)) return false;
  let isNew = false;
  try {
    isNew = await client.xgroupCreate({ stream, group, position: startFrom });
  } catch (error) {
    if (isFullServer(error)) await assertGroup(client, { stream, group }, error);
    else if (!PermissionError.is(error)) throw error;
    return false;
  }
  await createName(client, policy);
  return isNew;
}

/** Creates the consumer's name → whether the group certainly exists. */
async function createName(
  client: StreamClient,
  { stream, group, name }: { readonly stream: string; readonly group: string; readonly name: string },
): Promise<boolean> {
  try {
    await client.xgroupCreateConsumer({ stream, group, consumer: name });
    return true;
  } catch (error) {
    // The first read would create it as well, but not on the replicas.
    if (!NoGroupError.is(error) && !PermissionError.is(error) && !isFullServer(error)) throw error;
    return false;
  }
}

/** A full server even refuses to create what exists. An existing group can be joined, and emptied. */
async function assertGroup(
  client: StreamClient,
  address: { readonly stream: string; readonly group: string },
  refusal: unknown,
): Promise<void> {
  try {
    await client.xpendingSummary(address);
  } catch {
    throw refusal;
  }
}
