import { PermissionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import { bookkeepingKeys, groupKey } from "@redis-batch/core/internal/names";
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
      { key: "alive", title: "live consumers", value: alive.length, unit: "count" },
      { key: "pending", title: "pending, will be lost", value: pending, unit: "count" },
      { key: "unread", title: "never delivered", value: unread.value, unit: "count" },
      { key: "unreadExact", title: "exact count", value: unread.isAll },
      { key: "deadLetters", title: "dead letters (kept)", value: deadLetters, unit: "count" },
    ] as const;
    if (options.yes) {
      const [consumer] = alive;
      if (consumer !== undefined) {
        throw new Failure(
          "refused",
          `${alive.length} consumers are alive, such as "${consumer.consumer}"`,
          "stop them first: they would create the group again",
        );
      }
      if (pending + unread.value > 0 && !options["lose-pending"]) {
        throw new Failure(
          "refused",
          `${pending} messages are pending and ${unread.value} unread`,
          "--lose-pending deletes it anyway",
        );
      }
    }
    return planFirst(terminal, options, { facts }, async () => {
      await client.xgroupDestroy({ stream, group });
      await forget(client, stream, group);
      return { facts };
    });
  });

/** Only after the group is deleted: a group without its registry would look as if it had no consumers. */
async function forget(client: StreamClient, stream: string, group: string): Promise<void> {
  const keys = bookkeepingKeys(stream, group);
  try {
    await client.unlink({ keys });
  } catch (error) {
    if (!PermissionError.is(error)) throw error;
    throw new Failure(
      "denied",
      `the group is deleted, but its bookkeeping keys could not be: ${error.message}`,
      `run this as a user with that right: UNLINK ${keys.map(quoteWord).join(" ")}`,
    );
  }
}
