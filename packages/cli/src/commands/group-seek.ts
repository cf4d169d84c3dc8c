import { compareEntryIds, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeMessages } from "@redis-batch/core/internal/errors";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import { parsePosition } from "../point.ts";
import type { seek } from "../table/group.ts";
import { countBetween } from "./count-between.ts";
import { askParts, type Part, partsOf } from "./parts.ts";

export const run: Run<typeof seek> = (call) =>
  withClient(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    if (options.to === undefined)
      throw new Failure("usage", "--to is missing", "give a position, such as --to start or --to 2h");
    const position = parsePosition("--to", options.to, await client.time());
    const found = await askParts(await partsOf(client, stream), (part) => lookAt(client, part, group, position));
    const moves = found.map(({ answer }) => answer);
    const [only] = found.every(({ part }) => part.partition === null) ? moves : [];
    const skipped = sum(moves.map(({ order, count }) => (order > 0 ? count.value : 0)));
    const isAll = moves.every(({ count }) => count.isAll);
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      // Of several partitions each has its own.
      { key: "from", value: only?.from ?? null },
      { key: "to", value: only?.target ?? position },
      { key: "passedOver", title: "never delivered", value: skipped, unit: "count" },
      { key: "deliveredAgain", value: sum(moves.map(({ count }) => count.value)) - skipped, unit: "count" },
      { key: "messagesExact", title: "exact count", value: isAll },
      { key: "pending", title: "still pending", value: sum(moves.map(({ pending }) => pending)), unit: "count" },
    ] as const;
    const blocked =
      skipped > 0 && !options["skip-unread"]
        ? new Failure(
            "refused",
            `${isAll ? "" : "at least "}${describeMessages(skipped)} would never be delivered to the group`,
            "--skip-unread allows it",
          )
        : undefined;
    const nothing = moves.every(({ order }) => order === 0) ? NOTHING_TO_DO : undefined;
    return planFirst(terminal, options, { facts, nothing, blocked }, async () => {
      await Promise.all(found.map(({ part }) => client.xgroupSetId({ stream: part.stream, group, position })));
      return { facts };
    });
  });

/** How far the group moves there. */
async function lookAt(client: StreamClient, { stream }: Part, group: string, position: string) {
  const known = (await client.xinfoGroups({ stream })).find(({ name }) => name === group);
  if (known === undefined) throw new NoGroupError(`the stream "${stream}" has no group "${group}"`);
  const { lastDeliveredId: from, pending } = known;
  const target =
    position === "start"
      ? "0-0"
      : position === "end"
        ? (await client.xinfoStream({ stream })).lastGeneratedId
        : position;
  const order = compareEntryIds(target, from);
  const count = await (order > 0
    ? countBetween(client, stream, from, target)
    : countBetween(client, stream, target, from));
  return { from, target, order, count, pending };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
