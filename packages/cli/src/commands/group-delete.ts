import {
  bookkeepingKeys,
  groupKey,
  isAlive,
  nullIfForbidden,
  PermissionError,
  type Registration,
  type StreamClient,
} from "@redis-batch/core/internal";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import { quoteWord } from "../render/quote-word.ts";
import type { remove } from "../table/group.ts";
import { countAfter } from "./count-between.ts";
import { findGroup } from "./find-group.ts";

export const run: Run<typeof remove> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    const { pending, lastDeliveredId } = await findGroup(client, stream, group);
    const unread = await countAfter(client, stream, lastDeliveredId);
    const registry = await client.registry({ stream, group });
    const nowMs = await client.time();
    const alive = [...registry.values()].filter((registered: Registration) => isAlive(registered, nowMs));
    const deadLetters = await nullIfForbidden(client.xlen({ stream: groupKey("dead", stream, group) }));
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      { key: "alive", title: "consumers alive", value: alive.length, unit: "count" },
      { key: "pending", title: "pending, and lost", value: pending, unit: "count" },
      { key: "unread", title: "never delivered", value: unread.value, unit: "count" },
      { key: "unreadExact", title: "counted to the end", value: unread.isAll },
      { key: "deadLetters", title: "dead letters, which stay", value: deadLetters, unit: "count" },
    ] as const;
    if (options.yes) {
      const [consumer] = alive;
      if (consumer !== undefined) {
        throw new Failure(
          "refused",
          `${alive.length} consumers are alive, such as "${consumer.consumer}"`,
          "stop them first: they would create the group anew",
        );
      }
      if (pending + unread.value > 0 && !options["lose-pending"]) {
        throw new Failure(
          "refused",
          `${pending} messages are pending and ${unread.value} unread`,
          "--lose-pending deletes it all the same",
        );
      }
    }
    return planFirst(terminal, options, { facts }, async () => {
      await client.xgroupDestroy({ stream, group });
      await forget(client, stream, group);
      return { facts };
    });
  });

/** Only once the group is gone: a group without its registry would look as if nobody worked in it. */
async function forget(client: StreamClient, stream: string, group: string): Promise<void> {
  const keys = bookkeepingKeys(stream, group);
  try {
    await client.unlink({ keys });
  } catch (error) {
    if (!PermissionError.is(error)) throw error;
    throw new Failure(
      "denied",
      `the group is deleted, but what was kept about it is still there: ${error.message}`,
      `as a user with that right: UNLINK ${keys.map(quoteWord).join(" ")}`,
    );
  }
}
