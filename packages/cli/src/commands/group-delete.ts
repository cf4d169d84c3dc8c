import { PermissionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { quoteWord } from "@redis-batch/core/internal/diagnosis";
import { describeCount, describeMessages, nullIfForbidden } from "@redis-batch/core/internal/errors";
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import { bookkeepingKeys, groupKey } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { remove } from "../table/group.ts";
import { countAfter } from "./count-between.ts";
import { findGroup } from "./find-group.ts";

export const run: Run<typeof remove> = (call) =>
  withStream(call, async (client) => {
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
    const blocked = whyNot(alive, pending, unread.value, options["lose-pending"]);
    return planFirst(terminal, options, { facts, blocked }, async () => {
      await client.xgroupDestroy({ stream, group });
      await forget(client, stream, group);
      return { facts };
    });
  });

function whyNot(
  alive: readonly Registration[],
  pending: number,
  unread: number,
  mayLose: boolean,
): Failure | undefined {
  const [consumer] = alive;
  if (consumer !== undefined) {
    const who = `${describeCount(alive.length, "consumer")} ${alive.length === 1 ? "is" : "are"} alive`;
    const fix = "stop all consumers first: they would create the group again";
    return new Failure("refused", `${who}, such as "${consumer.consumer}"`, fix);
  }
  if (pending + unread === 0 || mayLose) return undefined;
  const what = `${describeMessages(pending)} ${pending === 1 ? "is" : "are"} pending and ${unread} unread`;
  return new Failure("refused", what, "--lose-pending deletes the group anyway");
}

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
