import { compareEntryIds } from "@redis-batch/core";
import { describeMessages } from "@redis-batch/core/internal/errors";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import { parsePosition } from "../point.ts";
import type { seek } from "../table/group.ts";
import { countBetween } from "./count-between.ts";
import { findGroup } from "./find-group.ts";

export const run: Run<typeof seek> = (call) =>
  withStream(call, async (client) => {
    const { args, options, terminal } = call;
    const { stream, group } = args;
    if (options.to === undefined)
      throw new Failure("usage", "--to is missing", "give a position, such as --to start or --to 2h");
    const position = parsePosition("--to", options.to, await client.time());
    const { lastDeliveredId, pending } = await findGroup(client, stream, group);
    const target =
      position === "start"
        ? "0-0"
        : position === "end"
          ? (await client.xinfoStream({ stream })).lastGeneratedId
          : position;
    const order = compareEntryIds(target, lastDeliveredId);
    const isForward = order > 0;
    const moved = isForward
      ? await countBetween(client, stream, lastDeliveredId, target)
      : await countBetween(client, stream, target, lastDeliveredId);
    const facts = [
      { key: "stream", value: stream },
      { key: "group", value: group },
      { key: "from", value: lastDeliveredId },
      { key: "to", value: target },
      { key: "passedOver", title: "never delivered", value: isForward ? moved.value : 0, unit: "count" },
      { key: "deliveredAgain", value: isForward ? 0 : moved.value, unit: "count" },
      { key: "messagesExact", title: "exact count", value: moved.isAll },
      { key: "pending", title: "still pending", value: pending, unit: "count" },
    ] as const;
    const blocked =
      isForward && moved.value > 0 && !options["skip-unread"]
        ? new Failure(
            "refused",
            `${moved.isAll ? "" : "at least "}${describeMessages(moved.value)} would never be delivered to the group`,
            "--skip-unread allows it",
          )
        : undefined;
    const nothing = order === 0 ? NOTHING_TO_DO : undefined;
    return planFirst(terminal, options, { facts, nothing, blocked }, async () => {
      await client.xgroupSetId({ stream, group, position });
      return { facts };
    });
  });
