import { PermissionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { quoteWord } from "@redis-batch/core/internal/diagnosis";
import { describeCount, describeMessages, nullIfForbidden } from "@redis-batch/core/internal/errors";
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import { bookkeepingKeys, groupKey } from "@redis-batch/core/internal/names";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { planFirst } from "../plan.ts";
import type { remove } from "../table/group.ts";
import { countAfter } from "./count-between.ts";
import { findGroup } from "./find-group.ts";
import { askParts, partsOf } from "./parts.ts";

export const run: Run<typeof remove> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    const parts = await partsOf(client, stream);
    const found = await askParts(parts, async (part) => {
      const { pending, lastDeliveredId } = await findGroup(client, part.stream, group);
      const deadLetters = nullIfForbidden(client.xlen({ stream: groupKey("dead", part.stream, group) }));
      return {
        pending,
        unread: await countAfter(client, part.stream, lastDeliveredId),
        deadLetters: await deadLetters,
      };
    });
    const answers = found.map(({ answer }) => answer);
    const pending = sum(answers.map((one) => one.pending));
    const unread = {
      value: sum(answers.map((one) => one.unread.value)),
      isAll: answers.every((one) => one.unread.isAll),
    };
    const letters = answers.flatMap((one) => one.deadLetters ?? []);
    const deadLetters = letters.length < answers.length ? null : sum(letters);
    const registry = await client.registry({ stream, group });
    const nowMs = await client.time();
    const alive = [...registry.values()].filter((registered: Registration) => isAlive(registered, nowMs));
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
      for (const { part } of found) {
        await client.xgroupDestroy({ stream: part.stream, group });
        await forget(client, part.stream, group);
      }
      // What is kept of the whole is beside the stream.
      if (found.some(({ part }) => part.partition !== null)) await forget(client, stream, group);
      return { facts };
    });
  });

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

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
